import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { view } from '../world.ts'
import { failableLimiter } from './faulty-store.ts'

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
