// A process whose clock is wrong, while its store is away: its quotas go by the store's clock.
import { expect, it } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import type { Store } from '../../src/databases/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import { view } from '../world.ts'
import { pause } from './faulty-store.ts'

const HOUR = 3_600_000

/** A store whose clock differs from this process's, and that can be away. */
function awayStore(
  hours: number,
): Store & { isAway: boolean; awayFor: string; ahead: number; now: () => number } {
  const now = (): number => performance.timeOrigin + performance.now() + hours * HOUR + store.ahead
  const inner = new ReferenceStore(now)
  const store = {
    isAway: false,
    /** A text in the subjects that the store does not answer for, as of a node of a cluster that is away. */
    awayFor: '',
    /** How far its clock has moved from this process's since the beginning, in milliseconds. */
    ahead: 0,
    now,
    evaluate: async (group: Parameters<Store['evaluate']>[0]) => {
      await Promise.resolve()
      if (store.isAway && group.demands.every(({ subject }) => subject.includes(store.awayFor)))
        throw Object.assign(new Error('away'), { unsent: true })
      return inner.evaluate(group)
    },
    forget: async () => 0,
  }
  return store
}

it.each([0, -30, 30, -0.7, 0.7])(
  'charges of an outage are settled once, with a store whose clock is %d hours ahead',
  async hours => {
    const store = awayStore(hours)
    const period = { period: 'hourly', anchor: new Date(store.now() - HOUR / 3) } as const
    const policy = { name: 'q', limit: 100, keyStrategy: 'ip', ...period } as const
    const limiter = new RateLimiter({ store, policy, warn: () => {} })
    const before = await limiter.check(view(), { cost: 10 })
    store.isAway = true
    const local = await limiter.check(view(), { cost: 20 })
    expect(local).toMatchObject({ allowed: true, degraded: 'local', remaining: 70, resetAt: before.resetAt })
    await limiter.settle(await limiter.check(view(), { cost: 5 }), 0)
    expect((await limiter.check(view(), { cost: 71 })).allowed).toBe(false)
    const last = await limiter.check(view(), { cost: 70 })
    expect(last.allowed).toBe(true)
    await limiter.settle(last, 1)
    expect((await limiter.peek(view())).remaining).toBe(69)
    store.isAway = false
    while ((await limiter.peek(view())).degraded !== false) await pause(20)
    expect((await limiter.peek(view())).remaining).toBe(69)
  },
)

it('a key of an outage holds until the store’s period ends', async () => {
  const store = awayStore(-30)
  const policy = { name: 'q', limit: 100, period: 'daily', keyStrategy: 'ip' } as const
  const limiter = new RateLimiter({ store, policy, warn: () => {} })
  await limiter.check(view({ ip: '198.51.100.7' }))
  store.isAway = true
  for (let i = 0; i < 3; i++)
    expect((await limiter.check(view(), { cost: 5, idempotencyKey: 'k' })).allowed).toBe(true)
  expect((await limiter.peek(view())).remaining).toBe(95)
})

it('a charge of an outage is refunded to its period, though the store’s clock has drifted meanwhile', async () => {
  const store = awayStore(3)
  const policy = { name: 'q', limit: 100, period: 'daily', keyStrategy: 'ip' } as const
  const limiter = new RateLimiter({ store, policy, warn: () => {} })
  const [here, elsewhere] = [view({ ip: '198.51.100.7' }), view({ ip: '198.51.100.8' })]
  for (const each of [here, elsewhere]) await limiter.check(each)
  Object.assign(store, { isAway: true, awayFor: '198.51.100.7' })
  const local = await limiter.check(here, { cost: 20 })
  expect(local).toMatchObject({ degraded: 'local', remaining: 79 })
  store.ahead = 20
  expect((await limiter.check(elsewhere)).degraded).toBe(false)
  // The charge is offered to the store meanwhile, which does not take it.
  await pause(20)
  await limiter.settle(local, 0)
  expect((await limiter.check(here, { cost: 1 })).remaining).toBe(98)
})
