// Settlements of more units than a policy could ever owe: a mistake, such as bytes in the place of tokens.
import { expect, it } from 'vitest'

import { type Policy, QuotaManager, RateLimiter } from '../../src/index.ts'
import { ManualClock, ReferenceStore } from '../../src/testing/index.ts'

const ann = { user: 'ann' }
const bucket = { name: 'calls', limit: 100, window: '1h', keyStrategy: 'user' } as const
const day = { name: 'day', limit: 100, period: 'daily', keyStrategy: 'user' } as const
/** What a bucket of 100 per hour pays back in 366 days, and its capacity. */
const MOST = 366 * 24 * 100 + 100

function limiterOf(policy: Policy | Policy[]): RateLimiter {
  const clock = new ManualClock()
  return new RateLimiter({ store: new ReferenceStore(clock.now), policy, warn: () => {} })
}

const left = async (limiter: RateLimiter): Promise<number> => (await limiter.peek(ann)).remaining

it.each([MOST + 1, 1e12, { calls: 1e12 }, { calls: Number.MAX_VALUE }])(
  'a settlement that a bucket could never owe rejects and changes nothing (%j)',
  async actual => {
    const limiter = limiterOf(bucket)
    const decision = await limiter.consume(ann, { cost: 10 })
    await expect(limiter.settle(decision, actual)).rejects.toMatchObject({ code: 'HALT_E_COST' })
    expect(await left(limiter)).toBe(90)
    // The call can still be settled to the right number.
    await limiter.settle(decision, 4)
    expect(await left(limiter)).toBe(96)
  },
)

it('a settlement may overdraw a bucket by what it pays back in 366 days', async () => {
  const limiter = limiterOf(bucket)
  await limiter.settle(await limiter.consume(ann, { cost: 10 }), MOST)
  const { allowed, retryAfter } = await limiter.consume(ann)
  expect([allowed, retryAfter]).toEqual([false, 366 * 86_400 + 36])
})

it('a settlement may owe no more than a bucket of fine units can count', async () => {
  // The window and the limit have no common divisor, so a unit of this bucket is 10^6 parts.
  const limiter = limiterOf({ name: 'calls', limit: 999_983, window: '1s', keyStrategy: 'user' })
  const most = Math.floor(Number.MAX_SAFE_INTEGER / 1e6)
  const decision = await limiter.consume(ann)
  await expect(limiter.settle(decision, most + 1)).rejects.toMatchObject({ code: 'HALT_E_COST' })
  await limiter.settle(decision, most)
  expect((await limiter.consume(ann)).retryAfter).toBeGreaterThan(9000)
})

it('a settlement by name is checked for the named policy alone', async () => {
  const limiter = limiterOf([bucket, { ...bucket, name: 'tokens', algorithm: 'fixed-window', limit: 1e9 }])
  const decision = await limiter.consume(ann)
  await limiter.settle(decision, { tokens: 1e12, calls: 5 })
  expect(decision.allowed).toBe(true)
  const number = limiter.settle(await limiter.consume({ user: 'bob' }), 1e12)
  await expect(number).rejects.toMatchObject({ code: 'HALT_E_COST' })
})

it('a call that charges more than a quota could ever owe rejects and changes nothing', async () => {
  const limiter = limiterOf(day)
  const call = await limiter.reserve(ann, { cost: 10, ttl: '1m' })
  for (const end of [call.charge, call.settle])
    await expect(end(2 ** 52)).rejects.toMatchObject({ code: 'HALT_E_COST' })
  await call.settle(3)
  expect(await left(limiter)).toBe(97)
})

it('a refund of more than a quota could ever owe rejects and changes nothing', async () => {
  const clock = new ManualClock()
  const quotas = new QuotaManager(new ReferenceStore(clock.now))
  await quotas.consumeQuota('ann', day, { cost: 5 })
  await expect(quotas.refundQuota('ann', day, 2 ** 52)).rejects.toMatchObject({ code: 'HALT_E_COST' })
  expect((await quotas.checkQuota('ann', day)).quota.used).toBe(5)
})
