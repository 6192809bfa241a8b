import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { type Quota, QuotaManager } from '../../src/index.ts'
import { mistake, rejection, START } from '../world.ts'
import { managing } from './managing.ts'

const daily: Quota = { name: 'calls', limit: 10, period: 'daily' }
const DAY = 86_400
const NOW = START / 1000
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START }))
afterEach(() => void vi.useRealTimers())
describe('QuotaManager', () => {
  it('QuotaManager charges units, and returns the use and the time of the reset', async () => {
    const { quotas, pass } = managing()
    pass(3600)
    expect(await quotas.consumeQuota('user_123', daily, { cost: 3 })).toEqual({
      allowed: true,
      quota: {
        name: 'calls',
        used: 3,
        remaining: 7,
        limit: 10,
        held: 0,
        granted: 0,
        resetAt: NOW + DAY,
        periodStart: NOW,
      },
    })
    expect((await quotas.consumeQuota('user_123', daily)).quota.used).toBe(4)
    expect((await quotas.consumeQuota('user_456', daily)).quota.used).toBe(1)
  })

  it('QuotaManager refuses units that do not fit, and charges nothing then', async () => {
    const { quotas } = managing()
    await quotas.consumeQuota('u', daily, { cost: 8 })
    expect(await quotas.consumeQuota('u', daily, { cost: 3 })).toMatchObject({
      allowed: false,
      quota: { used: 8 },
    })
    expect(await quotas.consumeQuota('u', daily, { cost: 2 })).toMatchObject({
      allowed: true,
      quota: { remaining: 0 },
    })
    expect(await quotas.consumeQuota('u', daily)).toMatchObject({ allowed: false, quota: { used: 10 } })
  })

  it('QuotaManager checks without charging, also for a fresh quota', async () => {
    const { quotas } = managing()
    for (let i = 0; i < 3; i++) {
      expect(await quotas.checkQuota('u', daily, { cost: 10 })).toEqual({
        allowed: true,
        quota: {
          name: 'calls',
          used: 0,
          remaining: 10,
          limit: 10,
          held: 0,
          granted: 0,
          resetAt: NOW + DAY,
          periodStart: NOW,
        },
      })
    }
    expect((await quotas.checkQuota('u', daily, { cost: 11 })).allowed).toBe(false)
  })

  it('QuotaManager admits exactly the limit out of 100 concurrent calls', async () => {
    const { quotas } = managing()
    const results = await Promise.all(Array.from({ length: 100 }, () => quotas.consumeQuota('u', daily)))
    expect(results.filter(({ allowed }) => allowed)).toHaveLength(10)
    expect((await quotas.checkQuota('u', daily)).quota.used).toBe(10)
  })

  it('a quota resets at the edge of the calendar period, to the millisecond', async () => {
    const { quotas, pass } = managing()
    await quotas.consumeQuota('u', daily, { cost: 10 })
    pass(DAY - 0.001)
    expect((await quotas.consumeQuota('u', daily)).allowed).toBe(false)
    pass(0.001)
    expect((await quotas.consumeQuota('u', daily)).quota).toMatchObject({
      used: 1,
      periodStart: NOW + DAY,
      resetAt: NOW + 2 * DAY,
    })
  })

  it.each([
    ['hourly', 'UTC', '2026-11-24T00:00:00Z', '2026-11-24T01:00:00Z'],
    ['daily', 'UTC', '2026-11-24T00:00:00Z', '2026-11-25T00:00:00Z'],
    ['daily', 'America/New_York', '2026-11-23T05:00:00Z', '2026-11-24T05:00:00Z'],
    ['daily', 'Asia/Kolkata', '2026-11-23T18:30:00Z', '2026-11-24T18:30:00Z'],
    ['weekly', 'UTC', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z'],
    ['monthly', 'UTC', '2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z'],
    ['yearly', 'UTC', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ] as const)('QuotaManager counts a %s period in %s', async (period, timeZone, start, end) => {
    const { quota } = await managing().quotas.consumeQuota('u', { ...daily, period, timeZone })
    expect([quota.periodStart, quota.resetAt]).toEqual([Date.parse(start) / 1000, Date.parse(end) / 1000])
  })

  it('QuotaManager counts periods from a billing anchor', async () => {
    const anchor = new Date('2026-01-31T12:00:00Z')
    const { quota } = await managing().quotas.consumeQuota('u', { ...daily, period: 'monthly', anchor })
    expect(new Date(quota.resetAt * 1000).toISOString()).toBe('2026-11-30T12:00:00.000Z')
    expect(new Date(quota.periodStart * 1000).toISOString()).toBe('2026-10-31T12:00:00.000Z')
  })

  it('refundQuota refunds at most the units used, and returns how many', async () => {
    const { quotas } = managing()
    await quotas.consumeQuota('u', daily, { cost: 5 })
    expect(await quotas.refundQuota('u', daily, 2)).toBe(2)
    expect(await quotas.refundQuota('u', daily)).toBe(1)
    expect((await quotas.checkQuota('u', daily)).quota.used).toBe(2)
    expect(await quotas.refundQuota('u', daily, 100)).toBe(2)
    expect(await quotas.refundQuota('u', daily, 100)).toBe(0)
    expect((await quotas.checkQuota('u', daily)).quota).toMatchObject({ used: 0, remaining: 10 })
    expect(await quotas.refundQuota('stranger', daily, 5)).toBe(0)
  })

  it('resetQuota resets the use', async () => {
    const { quotas } = managing()
    await quotas.consumeQuota('u', daily, { cost: 10 })
    await quotas.resetQuota('u', daily)
    expect((await quotas.checkQuota('u', daily)).quota.used).toBe(0)
  })

  it('a raised or lowered limit of a quota applies at once, and keeps the use', async () => {
    const { quotas } = managing()
    await quotas.consumeQuota('u', daily, { cost: 10 })
    expect(await quotas.consumeQuota('u', { ...daily, limit: 1000 })).toMatchObject({
      allowed: true,
      quota: { used: 11 },
    })
    expect(await quotas.checkQuota('u', { ...daily, limit: 5 })).toMatchObject({
      allowed: false,
      quota: { remaining: 0 },
    })
  })

  it('an idempotency key is charged once per period, and a refused call leaves no record of it', async () => {
    const { quotas, pass } = managing()
    const ask = (cost: number) => quotas.consumeQuota('u', daily, { cost, idempotencyKey: 'order-7' })
    await quotas.consumeQuota('u', daily, { cost: 8 })
    expect((await ask(3)).allowed).toBe(false)
    expect(await ask(2)).toMatchObject({ allowed: true, quota: { used: 10 } })
    expect(await ask(2)).toMatchObject({ allowed: true, quota: { used: 10, remaining: 0 } })
    pass(DAY)
    expect(await ask(2)).toMatchObject({ allowed: true, quota: { used: 2 } })
  })

  it('QuotaManager reports a threshold once, however often an idempotency key is repeated', async () => {
    const onQuotaThreshold = vi.fn<() => void>()
    const { quotas } = managing({ telemetry: { onQuotaThreshold } })
    for (let i = 0; i < 3; i++) await quotas.consumeQuota('u', daily, { cost: 8, idempotencyKey: 'order-7' })
    expect(onQuotaThreshold).toHaveBeenCalledTimes(1)
  })

  it('QuotaManager reports checks, refusals and thresholds to telemetry, each threshold once', async () => {
    const heard: [string, boolean | number | undefined, number][] = []
    const { quotas } = managing({
      telemetry: {
        onQuotaCheck: (_key, { used }, allowed) => heard.push(['check', allowed, used]),
        onQuotaThreshold: (_key, { used }, threshold) => heard.push(['threshold', threshold, used]),
        onQuotaExceeded: (_key, { used }) => heard.push(['exceeded', undefined, used]),
      },
    })
    for (const cost of [7, 1, 1, 1, 1]) await quotas.consumeQuota('u', daily, { cost })
    await quotas.checkQuota('v', daily)
    expect(heard).toEqual([
      ['check', true, 7],
      ['threshold', 0.8, 8],
      ['check', true, 8],
      ['check', true, 9],
      ['threshold', 1, 10],
      ['check', true, 10],
      ['check', false, 10],
      ['exceeded', undefined, 10],
      ['check', true, 0],
    ])
  })

  it.each([Number.NaN, -1, Infinity, '1', null])('QuotaManager refuses a cost of %o', async cost => {
    const { quotas } = managing()
    const wrong = cost as number
    expect((await rejection(quotas.consumeQuota('u', daily, { cost: wrong }))).code).toBe('HALT_E_COST')
    expect((await rejection(quotas.checkQuota('u', daily, { cost: wrong }))).code).toBe('HALT_E_COST')
    expect((await rejection(quotas.refundQuota('u', daily, wrong))).code).toBe('HALT_E_COST')
  })

  it('QuotaManager refuses a value that is not a quota, and a value that is not a store', async () => {
    const { quotas } = managing()
    const policy = { name: 'p', limit: 5, window: 60 } as unknown as Quota
    expect((await rejection(quotas.consumeQuota('u', policy))).code).toBe('HALT_E_PERIOD')
    expect((await rejection(quotas.consumeQuota('u', null as unknown as Quota))).code).toBe('HALT_E_POLICY')
    expect((await rejection(quotas.consumeQuota('u', { ...daily, limit: 0 }))).code).toBe('HALT_E_LIMIT')
    expect(mistake(() => new QuotaManager(undefined as never)).code).toBe('HALT_E_STORE_OPTION')
  })

  it.each(['api_calls', undefined, [daily]])(
    'QuotaManager says how to write a quota when it gets %j',
    async given => {
      const { code, fix } = await rejection(managing().quotas.checkQuota('u', given as unknown as Quota))
      expect([code, fix]).toEqual(['HALT_E_POLICY', expect.stringMatching(/period: QuotaPeriod\.MONTHLY/)])
    },
  )

  it('QuotaManager does not advise a window where a period is missing', async () => {
    const policy = { name: 'api_calls', limit: 5 } as unknown as Quota
    const { code, message } = await rejection(managing().quotas.checkQuota('u', policy))
    expect([code, message]).toEqual(['HALT_E_PERIOD', expect.not.stringContaining('window')])
  })

  it('QuotaManager rejects with a code when the store does not answer, within its time', async () => {
    const hanging = { evaluate: () => new Promise<never>(() => {}), forget: () => 0 }
    const quotas = new QuotaManager(hanging, { storeTimeout: '20ms', warn: () => {} })
    expect((await rejection(quotas.consumeQuota('u', daily))).code).toBe('HALT_E_STORE')
  })
})
