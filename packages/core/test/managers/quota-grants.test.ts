import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { type Policy, type Quota, QuotaManager } from '../../src/index.ts'
import { by, rejection, START, world } from '../world.ts'

const daily: Quota = { name: 'calls', limit: 10, period: 'daily' }
const DAY = 86_400
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START }))
afterEach(() => void vi.useRealTimers())

describe('grantQuota', () => {
  it('grantQuota raises the limit in the current period, and shows it', async () => {
    const { store } = world()
    const quotas = new QuotaManager(store)
    await quotas.consumeQuota('u', daily, { cost: 10 })
    expect((await quotas.consumeQuota('u', daily)).allowed).toBe(false)
    expect(await quotas.grantQuota('u', daily, 5)).toMatchObject({
      used: 10,
      limit: 10,
      granted: 5,
      remaining: 5,
    })
    expect(await quotas.consumeQuota('u', daily, { cost: 5 })).toMatchObject({
      allowed: true,
      quota: { used: 15, granted: 5, remaining: 0 },
    })
    expect((await quotas.consumeQuota('u', daily)).allowed).toBe(false)
    expect((await quotas.checkQuota('v', daily)).quota.granted).toBe(0)
  })

  it('a grant shows in the limiter that counts the quota: limit, remaining and retryAfter', async () => {
    const { clock, limiter, store } = world()
    const quotas = new QuotaManager(store)
    const minute: Policy = { name: 'minute', limit: 100, window: 60, keyStrategy: 'user' }
    const one = limiter([minute, daily])
    await one.check(by('42'), { cost: 10 })
    const refused = await one.check(by('42'))
    expect(refused).toMatchObject({ reason: 'quota-exceeded', limit: 10, retryAfter: DAY })
    await quotas.grantQuota('42', daily, 20)
    expect(await one.check(by('42'), { cost: { calls: 12, minute: 1 } })).toMatchObject({
      allowed: true,
      policy: 'calls',
      limit: 30,
      remaining: 8,
    })
    expect((await one.inspect({ user: '42' }))[1]).toMatchObject({ limit: 30, used: 22, remaining: 8 })
    const large = await one.check(by('42'), { cost: { calls: 12, minute: 1 } })
    // The cost would need a second grant, which no wait brings.
    expect(large).toMatchObject({ allowed: false, reason: 'cost-exceeds-limit', retryAfter: Infinity })
    clock.advance('1d')
    vi.setSystemTime(clock.now())
    expect(await one.check(by('42'), { cost: { calls: 4, minute: 1 } })).toMatchObject({
      limit: 10,
      remaining: 6,
    })
  })

  it('grantQuota works once per idempotency key, which is apart from the key of a charge or another amount', async () => {
    const quotas = new QuotaManager(world().store)
    const call = { idempotencyKey: 'invoice-7' }
    await quotas.consumeQuota('u', daily, { cost: 5, ...call })
    for (let i = 0; i < 3; i++) await quotas.grantQuota('u', daily, 5, call)
    expect((await quotas.grantQuota('u', daily, 6, call)).granted).toBe(11)
  })

  it('ungrantQuota takes back what was granted, once per key, and leaves what was used', async () => {
    const { store } = world()
    const quotas = new QuotaManager(store)
    expect(await quotas.ungrantQuota('u', daily, 5)).toMatchObject({
      takenBack: 0,
      granted: 0,
      remaining: 10,
    })
    await quotas.grantQuota('u', daily, 8)
    await quotas.consumeQuota('u', daily, { cost: 14 })
    const call = { idempotencyKey: 'ticket 9' }
    expect(await quotas.ungrantQuota('u', daily, 5, call)).toMatchObject({
      takenBack: 5,
      granted: 3,
      used: 14,
      remaining: 0,
      resetAt: START / 1000 + DAY,
    })
    expect(await quotas.ungrantQuota('u', daily, 5, call)).toMatchObject({ takenBack: 0, granted: 3 })
    expect(await quotas.ungrantQuota('u', daily, 5)).toMatchObject({ takenBack: 3, granted: 0, used: 14 })
    expect((await quotas.consumeQuota('u', daily)).allowed).toBe(false)
    for (const units of [-1, Number.NaN, '5'])
      expect((await rejection(quotas.ungrantQuota('u', daily, units as number))).code).toBe('HALT_E_COST')
  })

  it('the period of a quota whose anchor has milliseconds began at the anchor, and not at its end', async () => {
    const quotas = new QuotaManager(world().store)
    const anchor = new Date(START - 59_500)
    const { quota } = await quotas.consumeQuota('u', { name: 'month', limit: 10, period: 'monthly', anchor })
    expect(quota.periodStart).toBe(Math.floor((START - 59_500) / 1000))
  })

  it('endOfDay is midnight in the time zone of the quota, by the store’s clock', () => {
    const { store, clock } = world()
    clock.advance('23h')
    const quotas = new QuotaManager(store)
    expect(quotas.endOfDay(daily)).toBe(START + DAY * 1000)
    expect(quotas.endOfDay({ ...daily, timeZone: 'Europe/Berlin' })).toBe(START + (DAY + 23 * 3600) * 1000)
  })

  it('a grant survives a refund and a reset', async () => {
    const quotas = new QuotaManager(world().store)
    await quotas.grantQuota('u', daily, 5)
    await quotas.consumeQuota('u', daily, { cost: 12 })
    expect(await quotas.refundQuota('u', daily, 3)).toBe(3)
    await quotas.resetQuota('u', daily)
    expect((await quotas.checkQuota('u', daily)).quota).toMatchObject({ used: 0, granted: 5, remaining: 15 })
  })

  it('a refund reduces the use beyond a limit that was lowered since', async () => {
    const quotas = new QuotaManager(world().store)
    await quotas.consumeQuota('u', daily, { cost: 10 })
    expect(await quotas.refundQuota('u', { ...daily, limit: 5 }, 2)).toBe(2)
    expect((await quotas.checkQuota('u', daily)).quota.used).toBe(8)
  })

  it('QuotaManager reports thresholds of the limit and its grants together', async () => {
    const onQuotaThreshold = vi.fn<(key: string, quota: { used: number }, share: number) => void>()
    const quotas = new QuotaManager(world().store, { telemetry: { onQuotaThreshold } })
    await quotas.grantQuota('u', daily, 10)
    for (let i = 0; i < 20; i++) await quotas.consumeQuota('u', daily)
    expect(onQuotaThreshold.mock.calls.map(([, { used }, share]) => [used, share])).toEqual([
      [16, 0.8],
      [20, 1],
    ])
  })

  it.each([Number.NaN, -1, Infinity, '1', undefined])('grantQuota refuses a grant of %o', async wrong => {
    const quotas = new QuotaManager(world().store)
    expect((await rejection(quotas.grantQuota('u', daily, wrong as number))).code).toBe('HALT_E_COST')
  })

  it('a quota agrees with plain arithmetic for any sequence of charges, refunds and grants', async () => {
    const units = fc.integer({ min: 0, max: 14 })
    const step = fc.oneof(
      fc.record({ kind: fc.constant('consume' as const), units, through: fc.boolean() }),
      fc.record({ kind: fc.constant('grant' as const), units, through: fc.boolean() }),
      fc.record({ kind: fc.constant('refund' as const), units, through: fc.boolean() }),
      fc.record({ kind: fc.constant('pass' as const), units, through: fc.boolean() }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        vi.setSystemTime(START)
        const { clock, limiter, store } = world()
        const quotas = new QuotaManager(store)
        const one = limiter(daily)
        let [used, granted] = [0, 0]
        for (const { kind, units: n, through } of steps) {
          if (kind === 'pass') {
            const before = Math.floor(clock.now() / (DAY * 1000))
            clock.advance(n * 3600)
            vi.setSystemTime(clock.now())
            if (Math.floor(clock.now() / (DAY * 1000)) > before) [used, granted] = [0, 0]
          } else if (kind === 'grant') {
            await quotas.grantQuota('42', daily, n)
            granted += n
          } else if (kind === 'refund') {
            expect(await quotas.refundQuota('42', daily, n)).toBe(Math.min(n, used))
            used -= Math.min(n, used)
          } else {
            const fits = used + n <= 10 + granted
            const { allowed } = through
              ? await one.check(by('42'), { cost: n })
              : await quotas.consumeQuota('42', daily, { cost: n })
            expect(allowed).toBe(fits)
            if (fits) used += n
          }
          const { quota } = await quotas.checkQuota('42', daily)
          const remaining = Math.max(0, 10 + granted - used)
          expect(quota).toMatchObject({ used, granted, remaining })
          const seen = await one.peek({ user: '42' })
          // A peek uses the quota's own cost and shows the rest after it.
          expect(seen).toMatchObject({ limit: 10 + granted, allowed: remaining > 0, remaining })
        }
      }),
      { numRuns: 150 },
    )
  })
})

describe('a bare string', () => {
  it('a bare string is the kind of id that the quota counts', async () => {
    const { limiter, store } = world()
    const quotas = new QuotaManager(store)
    const byTenant: Quota = { ...daily, name: 'tenant', keyExtractor: () => 'acme' }
    const byAddress: Quota = { ...daily, name: 'address', keyStrategy: 'ip' }
    const byKey: Quota = { ...daily, name: 'key', keyStrategy: 'api-key' }
    const shared: Quota = { ...daily, name: 'all', keyStrategy: 'shared' }
    const request = by('42', { headers: { 'x-api-key': 'sk_live' } })
    await limiter([byTenant, byAddress, byKey, shared, daily]).check(request, { cost: 3 })
    const used = async (who: string, quota: Quota): Promise<number> =>
      (await quotas.checkQuota(who, quota)).quota.used
    expect(await used('acme', byTenant)).toBe(3)
    expect(await used('203.0.113.7', byAddress)).toBe(3)
    expect(await used('sk_live', byKey)).toBe(3)
    expect(await used('anybody', shared)).toBe(3)
    expect(await used('42', daily)).toBe(3)
    await quotas.resetQuota('acme', byTenant)
    expect(await used('acme', byTenant)).toBe(0)
  })

  it('a bare string that cannot name a counter of the quota is refused', async () => {
    const quotas = new QuotaManager(world().store)
    const byAddress: Quota = { ...daily, keyStrategy: 'ip' }
    expect((await rejection(quotas.checkQuota('acme', byAddress))).code).toBe('HALT_E_IDENTITY')
    const both: Quota = { ...daily, keyStrategy: 'composite' }
    expect(await rejection(quotas.checkQuota('42', both))).toMatchObject({
      code: 'HALT_E_IDENTITY',
      fix: expect.stringContaining('{ user: "42", ip'),
    })
    expect((await quotas.consumeQuota({ user: '42', ip: '203.0.113.7' }, both)).quota.used).toBe(1)
  })
})
