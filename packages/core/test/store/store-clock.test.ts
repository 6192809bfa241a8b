import { describe, expect, it } from 'vitest'

import { StoreClock } from '../../src/store/store-clock.ts'
import { casStore, type Evaluation, type Group, type Store } from '../../src/databases/index.ts'
import { decideOver } from '../../src/databases/key-value.ts'
import { QuotaManager, QuotaPeriod, RateLimiter } from '../../src/index.ts'
import { ManualClock } from '../../src/testing/index.ts'
import { versioned } from './versioned.ts'
import { admitted, START, view, world } from '../world.ts'

const AT = Date.UTC(2026, 0, 31, 23, 59, 50)
const daily = { name: 'daily', limit: 2, period: QuotaPeriod.DAILY } as const
const monthly = { name: 'monthly', limit: 1, period: QuotaPeriod.MONTHLY } as const

describe("a quota's calendar", () => {
  it.each([
    ['years ago', Date.UTC(1999, 0, 1)],
    ['years ahead', Date.UTC(2050, 0, 1)],
  ])('a quota’s calendar is that of the store’s clock, %s', async (_when, start) => {
    const { limiter, clock } = world(start)
    const one = limiter(monthly)
    const year = new Date(start).getUTCFullYear()
    for (let month = 0; month < 14; month++) {
      clock.advance((Date.UTC(year, month, 15) - clock.now()) / 1000)
      const next = Date.UTC(year, month + 1, 1) / 1000
      const first = await one.consume({ user: 'u' })
      expect([first.allowed, first.resetAt], `month ${month}`).toEqual([true, next])
      expect((await one.consume({ user: 'u' })).allowed).toBe(false)
    }
  })

  it('a quota’s calendar changes at midnight of the store’s clock, to the second', async () => {
    const { limiter, clock } = world(AT)
    const one = limiter(daily)
    await one.consume({ user: 'u' }, { cost: 2 })
    expect(await one.consume({ user: 'u' })).toMatchObject({
      allowed: false,
      reason: 'quota-exceeded',
      retryAfter: 10,
      resetAt: Date.UTC(2026, 1, 1) / 1000,
    })
    clock.advance(10)
    expect(await one.consume({ user: 'u' })).toMatchObject({ allowed: true, remaining: 1 })
  })

  it('the quota manager has the calendar of the store’s clock, idempotency keys included', async () => {
    const { store, clock } = world(AT)
    const quotas = new QuotaManager(store)
    const call = { idempotencyKey: 'k' }
    expect((await quotas.consumeQuota('u', monthly, call)).quota).toMatchObject({
      used: 1,
      periodStart: Date.UTC(2026, 0, 1) / 1000,
      resetAt: Date.UTC(2026, 1, 1) / 1000,
    })
    expect((await quotas.consumeQuota('u', monthly, call)).quota.used).toBe(1)
    expect((await quotas.consumeQuota('u', monthly)).allowed).toBe(false)
    clock.advance('10s')
    expect((await quotas.consumeQuota('u', monthly, call)).quota).toMatchObject({
      used: 1,
      periodStart: Date.UTC(2026, 1, 1) / 1000,
    })
  })

  it('a quota’s calendar follows the instants of the replies if the store has no clock()', async () => {
    const clock = new ManualClock(Date.UTC(2040, 4, 31, 12))
    const store = casStore(versioned(), { clock: async () => clock.now() })
    const one = new RateLimiter({ store, policy: monthly, storeTimeout: '5s' })
    expect((await one.consume({ user: 'u' })).allowed).toBe(true)
    expect((await one.consume({ user: 'u' })).allowed).toBe(false)
    // The first reply showed the store's time, so the month is right from now on.
    expect(await one.consume({ user: 'v' })).toMatchObject({ resetAt: Date.UTC(2040, 5, 1) / 1000 })
    clock.advance('1d')
    expect(await one.consume({ user: 'v' })).toMatchObject({ allowed: true })
  })
})

describe('a decision without a counter', () => {
  it('a decision without a counter takes its time from the store’s clock', async () => {
    const { limiter } = world(1.7e12)
    const one = limiter({ name: 'p', limit: 1, window: 60 })
    expect(await one.check(view({ path: '/health' }))).toMatchObject({ reason: 'exempt', resetAt: 1.7e9 })
    const strict = limiter({ name: 'q', limit: 1, window: 60, keyStrategy: 'user', onMissingKey: 'deny' })
    expect(await strict.check(view())).toMatchObject({ reason: 'missing-key', resetAt: 1.7e9 })
  })

  it('a decision without a reply takes its time from the store’s clock', async () => {
    const clock = new ManualClock(START)
    const away = {
      clock: clock.now,
      evaluate: () => Promise.reject(new Error('away')),
      forget: () => 0,
    }
    const policy = { name: 'p', limit: 1, window: 60 }
    const warn = (): void => {}
    const closed = new RateLimiter({ store: away, policy, warn, onStoreError: 'closed' })
    expect(await closed.check(view())).toMatchObject({ reason: 'store-error', resetAt: START / 1000 + 1 })
    const open = new RateLimiter({ store: away, policy, warn, onStoreError: 'open' })
    expect(await open.check(view())).toMatchObject({ degraded: 'open', resetAt: START / 1000 })
  })
})

it.each([
  ['a reply', { evaluate: () => ({ ...ALLOWED, now: 1.7e18 }) }],
  ['its clock', { evaluate: () => Promise.reject(new Error('away')), clock: () => 1.7e18 }],
])('a store that tells the time in nanoseconds by %s fails no request', async (_by, parts) => {
  const store = { forget: () => 0, ...parts } as unknown as Store
  const one = new RateLimiter({ store, policy: monthly, warn: () => {} })
  for (let i = 0; i < 2; i++) {
    const before = Date.now()
    const { degraded, resetAt } = await one.consume({ user: `${i}` })
    expect(degraded).toBe('local')
    expect(resetAt).toBeGreaterThan(before / 1000)
    expect(resetAt).toBeLessThan(Date.now() / 1000 + 32 * 86_400)
  }
})

const ALLOWED = { allowed: true, repeated: false, passes: [true], starts: [], states: [[]], penalty: [] }

it('a store clock ignores an instant that is not a number', () => {
  let told: number | undefined
  const clock = new StoreClock({ clock: () => told })
  const before = clock.now()
  for (const nonsense of [NaN, Infinity, -Infinity, 1.7e18]) clock.observe(nonsense)
  for (told of [NaN, Infinity, 1.7e18, 'x' as unknown as number]) {
    expect(clock.now()).toBeGreaterThanOrEqual(before)
    expect(clock.now()).toBeLessThan(before + 3600_000)
  }
})

it('a store’s clock that steps back neither locks a client out nor lets it through', async () => {
  let now = START
  const { store } = world()
  const stepping = {
    evaluate: (group: Group): Evaluation => decideAt(now, group),
    forget: () => store.forget([]),
  }
  const values = new Map<string, string>()
  function decideAt(ms: number, group: Group): Evaluation {
    const { evaluation, changes } = decideOver(group, values, ms * 1000)
    for (const { key, value } of changes) {
      if (value === undefined) values.delete(key)
      else values.set(key, value)
    }
    return evaluation
  }
  const one = new RateLimiter({ store: stepping, policy: { name: 'p', limit: 60, window: 60 } })
  await one.check(view())
  now -= 3_600_000
  expect(await one.check(view())).toMatchObject({ allowed: true, remaining: 58 })
  expect(await admitted(100, one)).toBe(58)
  expect((await one.check(view())).retryAfter).toBe(1)
})
