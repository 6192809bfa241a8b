// A client that is paused when the store goes away. Without the store, the clock of the process counts.
import { setImmediate as turn } from 'node:timers/promises'

import { expect, it } from 'vitest'

import { fakeOutage, type FakeOutage, ManualClock, ReferenceStore } from '../../src/testing/index.ts'
import { RateLimiter } from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'

function scene(): { store: FakeOutage; limiter: RateLimiter } {
  const store = fakeOutage(new ReferenceStore(new ManualClock().now))
  const policy = { name: 'p', limit: 60, window: 3600 }
  return { store, limiter: new RateLimiter({ store, policy, instances: 1, warn: () => {} }) }
}

it('a paused client goes on with what it had left when the pause ends in an outage', async () => {
  const { store, limiter } = scene()
  await limiter.consume('x')
  await limiter.pause({ custom: 'x' }, { for: '600ms' })
  store.begin()
  const refused = await limiter.consume('x')
  expect(refused).toMatchObject({ allowed: false, degraded: 'local' })
  expect(refused.retryAfterMs).toBeLessThanOrEqual(600)
  await expect
    .poll(async () => limiter.consume('x'))
    .toMatchObject({ allowed: true, degraded: 'local', remaining: 58 })
})

it('a client that was paused before it ever came stays so in an outage', async () => {
  const { store, limiter } = scene()
  await limiter.pause({ custom: 'x' }, { for: '600ms' })
  store.begin()
  expect((await limiter.consume('x')).allowed).toBe(false)
  expect((await limiter.consume('y')).allowed).toBe(true)
  await expect.poll(async () => (await limiter.consume('x')).allowed).toBe(true)
})

it('pause() and resume() reject while the store is away, because other processes would not hear of them', async () => {
  const { store, limiter } = scene()
  store.begin()
  for (const said of [limiter.pause('x', { for: '1m' }), limiter.resume('x')])
    await expect(said).rejects.toMatchObject({ code: 'HALT_E_STORE' })
})

it('a pause that was ended does not come back, though the store has lost its counters meanwhile', async () => {
  const { now } = new ManualClock()
  let inner = new ReferenceStore(now)
  let text = 'before'
  const mark = { read: async () => text }
  const store: Store = {
    kind: 'losing',
    clock: now,
    mark: () => mark,
    evaluate: async group => inner.evaluate(group),
    forget: counters => inner.forget(counters),
  }
  const limiter = new RateLimiter({ store, policy: { name: 'p', limit: 60, window: 3600 }, warn: () => {} })
  await limiter.pause('x')
  await limiter.pause('y')
  await turn()
  inner = new ReferenceStore(now)
  text = 'after'
  await limiter.resume('x')
  await turn()
  expect((await limiter.consume('x')).allowed).toBe(true)
  // The loss is found by the other one, which gets its pause back, and the first does not.
  await limiter.consume('y')
  await turn()
  expect((await limiter.consume('y')).allowed).toBe(false)
  expect((await limiter.consume('x')).allowed).toBe(true)
})
