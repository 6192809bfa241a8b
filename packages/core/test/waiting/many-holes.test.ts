// More callers leave their line, each between two that stay, than a line has room for.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { RateLimiter } from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { type PassingWorld, passingWorld } from './passing-world.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const policy = { name: 'calls', limit: 100, window: 1, burst: 1 }

/** 500 callers of a limiter, of which every second one leaves after 5 ms. */
async function scene(own: PassingWorld, store: Store): Promise<RateLimiter> {
  const limiter = own.limiter(policy, { store })
  const gone = new AbortController()
  const left: Promise<unknown>[] = []
  for (let i = 0; i < 500; i++) {
    if (i % 2 === 0) own.acquire(limiter, 's', i, { maxWait: '1m' }).catch(() => {})
    else left.push(limiter.acquire('s', { maxWait: '1m', signal: gone.signal }).catch(() => 'left'))
  }
  await own.pass(5)
  gone.abort()
  expect(new Set(await Promise.all(left))).toEqual(new Set(['left']))
  return limiter
}

const stayed = Array.from({ length: 250 }, (_, i) => 2 * i)

it('callers that stay start in order, move up by 128 gaps, and wait for the time of the others that left', async () => {
  const own = passingWorld()
  const limiter = await scene(own, own.store)
  await own.pass(3_800)
  expect(own.starts.map(({ name }) => name)).toEqual(stayed)
  const gaps = own.starts.slice(1).map(({ at }, i) => at - own.starts[i]!.at)
  expect([gaps.filter(gap => gap === 20).length, gaps.filter(gap => gap === 10).length]).toEqual([120, 129])
  expect((await limiter.explain('s')).policies[0]?.line).toBeUndefined()
})

for (const [when, wait] of [
  ['before they are told', 0],
  ['later', 20],
] as const)
  it(`callers that stay start in order, at the rate, though the store loses their places ${when}`, async () => {
    const own = passingWorld()
    let inner = own.store
    const limiter = await scene(own, {
      clock: own.clock.now,
      evaluate: group => inner.evaluate(group),
      forget: counters => inner.forget(counters),
    })
    await own.pass(wait)
    const started = own.starts.length
    inner = new ReferenceStore(own.clock.now)
    // The line hears of the loss with the next question.
    void own.acquire(limiter, 's', 'last', { maxWait: '1m' })
    await own.pass(2_600)
    expect(own.starts.map(({ name }) => name)).toEqual([...stayed, 'last'])
    // The last one got its new place first, and starts in its order.
    const later = own.starts.slice(started, -1)
    const gaps = later.slice(1).map(({ at }, i) => at - later[i]!.at)
    expect(new Set(gaps)).toEqual(new Set([10]))
    expect((await limiter.explain('s')).policies[0]?.line).toBeUndefined()
  })

it('a limiter that closes gives the places of its callers back, as far as the line has room for gaps', async () => {
  const own = passingWorld()
  const limiter = await scene(own, own.store)
  await own.pass(20)
  expect(await limiter.line({ custom: 's' })).toMatchObject({ callers: 248 })
  await limiter.close()
  // The time of those passes that left beyond 128 gaps.
  const next = own.limiter(policy, { store: own.store })
  expect((await next.line({ custom: 's' })).units).toBeLessThan(250)
  await own.pass(2_500)
  expect((await next.explain('s')).policies[0]?.line).toBeUndefined()
})
