// A client that is paused when the store goes away. Without the store, the clock of the process counts.
import { expect, it } from 'vitest'

import { fakeOutage, type FakeOutage, ManualClock, ReferenceStore } from '../../src/testing/index.ts'
import { RateLimiter } from '../../src/index.ts'

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
