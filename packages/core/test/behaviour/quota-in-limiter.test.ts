import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { presets, type Quota } from '../../src/index.ts'
import { by, START, times, view } from '../world.ts'
import { managing } from '../managers/managing.ts'

const daily: Quota = { name: 'calls', limit: 10, period: 'daily' }
const DAY = 86_400
const NOW = START / 1000
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START }))
afterEach(() => void vi.useRealTimers())
describe('a quota in a limiter', () => {
  const minute = {
    name: 'minute',
    limit: 4,
    window: 60,
    keyStrategy: 'user',
    algorithm: 'fixed-window',
  } as const

  it('a quota is charged together with the policies, all or none', async () => {
    const { limiter, quotas, pass } = managing()
    const both = limiter([minute, daily])
    await times(6, both, by('u'))
    expect((await quotas.checkQuota('u', daily)).quota.used).toBe(4)
    for (let i = 0; i < 3; i++) {
      pass(60)
      await times(6, both, by('u'))
    }
    expect(await both.check(by('u'))).toMatchObject({ allowed: false })
    expect((await quotas.checkQuota('u', daily)).quota.used).toBe(10)
  })

  it('a quota has another counter than a policy of its name, or another quota', async () => {
    const { quotas, limiter } = managing()
    await quotas.consumeQuota('u', daily, { cost: 10 })
    expect((await quotas.checkQuota('u', { ...daily, name: 'other' })).quota.used).toBe(0)
    const policy = { name: 'calls', limit: 5, window: 60, keyStrategy: 'user' } as const
    expect((await limiter(policy).check(by('u'))).remaining).toBe(4)
    expect((await quotas.checkQuota('u', daily)).quota.used).toBe(10)
    await quotas.consumeQuota('u', { ...daily, name: '__proto__' })
    expect((await quotas.checkQuota('u', { ...daily, name: '__proto__' })).quota.used).toBe(1)
  })

  it('a quota shows its refusal, and until when it refuses', async () => {
    const { limiter, pass } = managing()
    const one = limiter({ ...daily, limit: 2 })
    pass(3600)
    const [, , refused] = await times(3, one, by('u'))
    expect(refused).toMatchObject({
      allowed: false,
      reason: 'quota-exceeded',
      policy: 'calls',
      limit: 2,
      remaining: 0,
      resetAt: NOW + DAY,
      retryAfter: DAY - 3600,
      key: 'user:u',
    })
  })

  it('a quota counts by user by default, and by address without a user', async () => {
    const { limiter } = managing()
    expect((await limiter(daily).check(by('u'))).key).toBe('user:u')
    expect((await limiter(daily).check(view())).key).toBe('ip:203.0.113.7')
    expect((await limiter({ ...daily, keyStrategy: 'shared' }).check(by('u'))).key).toBe('shared')
  })

  it('a quota takes a cost, exemptions and modes like a policy', async () => {
    const { limiter } = managing()
    expect((await limiter({ ...daily, cost: 4 }).check(by('u'))).remaining).toBe(6)
    expect((await limiter({ ...daily, exemptions: ['/things'] }).check(by('u'))).reason).toBe('exempt')
    const shadow = limiter({ ...daily, name: 's', limit: 1, mode: 'shadow' })
    expect((await times(3, shadow, by('u'))).map(({ allowed }) => allowed)).toEqual([true, true, true])
  })

  it('a settlement of a quota counts within its period only', async () => {
    const { limiter, quotas, pass } = managing()
    const one = limiter(daily)
    const [a, b] = [await one.check(by('u'), { cost: 4 }), await one.check(by('u'), { cost: 4 })]
    await one.settle(a, 1)
    expect((await quotas.checkQuota('u', daily)).quota.used).toBe(5)
    pass(DAY)
    await one.check(by('u'), { cost: 4 })
    await one.settle(b, 0)
    expect((await quotas.checkQuota('u', daily)).quota.used).toBe(4)
  })

  it('a limiter takes the preset quotas', async () => {
    const { limiter } = managing()
    for (const quota of [presets.QUOTA_FREE_MONTHLY, presets.QUOTA_PRO_DAILY]) {
      expect((await limiter(quota).check(by('u'))).remaining).toBe(quota.limit - 1)
    }
  })
})
