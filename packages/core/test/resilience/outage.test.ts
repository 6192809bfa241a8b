import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import type { Decision } from '../../src/index.ts'
import { times, view } from '../world.ts'
import { failableLimiter, pause } from './faulty-store.ts'

const daily = { name: 'q', limit: 4, period: 'daily', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const

describe('an idempotency key', () => {
  const keyed = { idempotencyKey: 'k' }

  it('an idempotency key that the store charged is not charged again during an outage or after it', async () => {
    const { limiter, fail, recover } = failableLimiter(daily, { instances: 4 })
    await limiter.check(view(), keyed)
    fail()
    // The share of this process is 1.
    expect(await limiter.check(view())).toMatchObject({ allowed: true, cost: 1 })
    expect(await limiter.check(view(), keyed)).toMatchObject({ allowed: true, cost: 0 })
    await recover()
    expect((await limiter.peek(view())).remaining).toBe(2)
  })

  it('an idempotency key that was charged during an outage is written back once', async () => {
    for (const first of ['the retry', 'the writing back']) {
      const { store, limiter, fail, recover } = failableLimiter(daily)
      await limiter.check(view({ ip: '198.51.100.99' }))
      fail()
      await limiter.check(view(), keyed)
      store.fault = 'none'
      // One failure does not open the breaker, so the charge is written back after the next check.
      if (first === 'the writing back') await recover()
      expect((await limiter.check(view(), keyed)).allowed).toBe(true)
      await recover()
      expect((await limiter.peek(view())).remaining, first).toBe(3)
    }
  })
})

describe('calls of which some have idempotency keys', () => {
  const ample = { ...daily, limit: 40 }

  /** Charges in an outage that no breaker notices, settles one call to 0, and lets the store be told. */
  async function settledInOutage(calls: readonly [cost: number, key: string | undefined][], which: number) {
    const { store, limiter, fail } = failableLimiter(ample)
    const more = (idempotencyKey: string | undefined, cost: number): Promise<Decision> =>
      limiter.check(view(), { cost, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) })
    fail()
    const decisions: Decision[] = []
    for (const [cost, key] of calls) decisions.push(await more(key, cost))
    store.fault = 'none'
    await limiter.settle(decisions[which] as Decision, 0)
    const used = async (): Promise<number> => {
      await limiter.check(view({ ip: '198.51.100.99' }))
      await pause(20)
      return 40 - (await limiter.peek(view())).remaining
    }
    return { used, more }
  }

  it('are refunded as they were charged, though all wait to be written back', async () => {
    const { used } = await settledInOutage(
      [
        [2, undefined],
        [5, 'k'],
      ],
      1,
    )
    expect(await used()).toBe(2)
  })

  it('are not charged again after it, whichever of them was refunded', async () => {
    for (const which of [0, 1]) {
      const { used, more } = await settledInOutage(
        [
          [3, 'one'],
          [5, 'two'],
        ],
        which,
      )
      const left = which === 0 ? 5 : 3
      expect(await used()).toBe(left)
      await more('one', 3)
      await more('two', 5)
      expect(await used()).toBe(left)
    }
  })
})

it('a client whose plan changes in an outage pays for what it used under both, though their periods differ', async () => {
  const month = { ...daily, name: 'month', counter: 'plan', limit: 100, period: 'monthly' } as const
  const day = { ...daily, name: 'day', counter: 'plan', limit: 100 } as const
  const plan: { now: typeof month | typeof day } = { now: month }
  const { limiter, fail, recover } = failableLimiter(() => plan.now)
  await limiter.check(view())
  fail()
  const use = async (count: number): Promise<unknown> => times(count, limiter)
  await use(3)
  plan.now = day
  await use(4)
  plan.now = month
  await use(2)
  await recover()
  await pause(20)
  expect((await limiter.peek(view())).remaining).toBe(90)
})

describe('a refusal during an outage', () => {
  it('a refusal in an outage of a cost above the share but within the limit is temporary', async () => {
    const { limiter, fail } = failableLimiter({ name: 'p', limit: 20, window: 60 }, { instances: 4 })
    fail()
    expect(await limiter.check(view(), { cost: 6 })).toMatchObject({
      allowed: false,
      reason: 'limited',
      retryAfter: 1,
    })
    expect(await limiter.check(view(), { cost: 21 })).toMatchObject({
      reason: 'cost-exceeds-limit',
      retryAfter: Number.POSITIVE_INFINITY,
    })
  })

  it('a refusal during an outage keeps its reason', async () => {
    const policies = [
      [{ name: 'p', limit: 1, window: 60, algorithm: 'fixed-window' }, 'limited'],
      [{ name: 'p', limit: 1, window: 60, blockDuration: 300 }, 'blocked'],
      [{ ...daily, limit: 1 }, 'quota-exceeded'],
    ] as const
    for (const [policy, reason] of policies) {
      const { limiter, fail } = failableLimiter(policy)
      for (let i = 0; i < 3; i++) await limiter.check(view())
      const before = await limiter.check(view())
      fail()
      const now = await limiter.check(view())
      expect([before.reason, now.reason]).toEqual([reason, reason])
      expect(Math.abs(now.resetAt - before.resetAt)).toBeLessThanOrEqual(policy.name === 'q' ? 0 : 1)
    }
  })
})

it('a policy in shadow mode decides nothing during an outage', async () => {
  const { limiter, fail } = failableLimiter([
    { name: 'shown', limit: 9, window: 60, onStoreError: 'open' },
    { name: 'hidden', limit: 5, window: 60, onStoreError: 'local', mode: 'shadow' },
  ])
  fail()
  expect(await limiter.check(view())).toMatchObject({
    allowed: true,
    policy: 'shown',
    limit: 9,
    degraded: 'open',
  })
})
