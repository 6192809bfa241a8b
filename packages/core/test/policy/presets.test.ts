import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import * as entry from '../../src/index.ts'
import { admitted, by, mistake, START, view, world } from '../world.ts'

const { presets, getPlanPolicy } = entry
const exported: Readonly<Record<string, unknown>> = { ...entry }

const source = (name: string): string =>
  readFileSync(new URL(`../../src/presets/${name}.ts`, import.meta.url), 'utf8')

describe('the texts of presets', () => {
  const texts = source('presets').matchAll(/(\/\*\*(?:(?!\*\/)[^])*\*\/)\nexport const ([A-Z_]+):/g)

  it.each([...texts].map(([, text = '', name = '']) => ({ name, text })))(
    'the text of $name is the same in presets.ts and preset-list.ts',
    ({ name, text }) => {
      const flat = (some: string): string => some.replace(/\n\s*/g, '\n')
      expect(flat(source('preset-list'))).toContain(flat(`${text}\n  readonly ${name}:`))
    },
  )
})

const POLICIES = {
  PUBLIC_API: { name: 'public_api', limit: 100, window: 60, burst: 120 },
  AUTH_ENDPOINTS: {
    name: 'auth_endpoints',
    limit: 5,
    window: 60,
    burst: 10,
    blockDuration: 300,
    exemptPrivateIps: false,
  },
  EXPENSIVE_OPS: { name: 'expensive_ops', limit: 10, window: 3600, burst: 15, cost: 10, keyStrategy: 'user' },
  STRICT_API: { name: 'strict_api', limit: 20, window: 60, burst: 25, keyStrategy: 'api-key' },
  GENEROUS_API: { name: 'generous_api', limit: 1000, window: 60, burst: 1200 },
}
const PLANS = {
  FREE: [100, 120],
  STARTER: [500, 600],
  PRO: [2000, 2500],
  BUSINESS: [5000, 6000],
  ENTERPRISE: [20_000, 25_000],
}
const QUOTAS = {
  QUOTA_FREE_MONTHLY: { name: 'free_monthly_requests', limit: 10_000, period: 'monthly' },
  QUOTA_PRO_MONTHLY: { name: 'pro_monthly_requests', limit: 100_000, period: 'monthly' },
  QUOTA_ENTERPRISE_MONTHLY: { name: 'enterprise_monthly_requests', limit: 1_000_000, period: 'monthly' },
  QUOTA_FREE_DAILY: { name: 'free_daily_requests', limit: 500, period: 'daily' },
  QUOTA_PRO_DAILY: { name: 'pro_daily_requests', limit: 5000, period: 'daily' },
}
const PENALTIES = {
  PENALTY_LENIENT: { threshold: 20, duration: 1800, multiplier: 0.75, decayRate: 2 },
  PENALTY_MODERATE: { threshold: 10, duration: 3600, multiplier: 0.5, decayRate: 1 },
  PENALTY_STRICT: { threshold: 5, duration: 7200, multiplier: 0.25, decayRate: 0.5 },
}

describe('the presets', () => {
  it.each(Object.entries(POLICIES))('%s has exactly its numbers', (name, numbers) => {
    expect(presets[name as 'PUBLIC_API']).toEqual({
      algorithm: 'token-bucket',
      keyStrategy: 'ip',
      cost: 1,
      ...numbers,
    })
  })

  it.each(Object.entries(PLANS))('PLAN_%s has exactly its numbers', (name, [limit, burst]) => {
    const plan = name.toLowerCase()
    const shared = { algorithm: 'token-bucket', window: 3600, keyStrategy: 'user', cost: 1, counter: 'plan' }
    const policy = presets[`PLAN_${name}` as 'PLAN_FREE']
    expect(policy).toEqual({ ...shared, name: `${plan}_plan`, limit, burst, plan })
    expect(presets.PLAN_TIERS[plan as 'free']).toBe(policy)
  })

  it.each([...Object.entries(QUOTAS), ...Object.entries(PENALTIES)])(
    '%s has exactly its numbers',
    (name, numbers) => {
      expect(presets[name as 'QUOTA_FREE_DAILY']).toEqual(numbers)
    },
  )

  it('the presets are exported by name and under presets, and are frozen', () => {
    expect(Object.isFrozen(presets)).toBe(true)
    expect(Object.values(presets).every(Object.isFrozen)).toBe(true)
    const all = Object.entries(presets).filter(([name]) => name === name.toUpperCase())
    expect(all).toHaveLength(5 + 5 + 1 + 5 + 3)
    for (const [name, preset] of all) {
      expect(exported[name], name).toBe(preset)
      expect(Object.isFrozen(preset), name).toBe(true)
    }
  })

  it('a limiter accepts all presets', () => {
    const { limiter } = world()
    for (const name of Object.keys(POLICIES)) limiter(presets[name as 'PUBLIC_API'])
    for (const plan of Object.values(presets.PLAN_TIERS)) limiter(plan)
    for (const name of Object.keys(QUOTAS)) limiter(presets[name as 'QUOTA_FREE_DAILY'])
    for (const name of Object.keys(PENALTIES)) {
      expect(
        limiter(presets.PUBLIC_API, { penalty: presets[name as 'PENALTY_STRICT'] }).policies,
      ).toHaveLength(1)
    }
  })
})

describe('getPlanPolicy', () => {
  it.each(['pro', 'PRO', 'Pro'])('getPlanPolicy finds %s', name => {
    expect(getPlanPolicy(name)).toBe(presets.PLAN_PRO)
  })

  it.each([
    'gold',
    '',
    ' pro',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    null,
    undefined,
    7,
    {},
  ])('getPlanPolicy refuses %o and lists the plans', name => {
    const error = mistake(() => getPlanPolicy(name as string))
    expect(error.code).toBe('HALT_E_UNKNOWN_PLAN')
    expect(error.fix).toContain('free, starter, pro, business, enterprise')
  })
})

describe('the effect of the presets', () => {
  it('EXPENSIVE_OPS admits one call, the next after half an hour, then one per hour', async () => {
    const { clock, limiter } = world()
    const ops = limiter(presets.EXPENSIVE_OPS)
    const refused = async (): Promise<number> => (await ops.check(by('42'))).retryAfter
    expect((await ops.check(by('42'))).allowed).toBe(true)
    expect(await refused()).toBe(1800)
    clock.advance(1800)
    expect((await ops.check(by('42'))).allowed).toBe(true)
    expect(await refused()).toBe(3600)
  })

  it('AUTH_ENDPOINTS refuses for five minutes from the first refusal, however many requests come', async () => {
    const { clock, limiter } = world()
    const auth = limiter(presets.AUTH_ENDPOINTS)
    const login = view({ path: '/login' })
    expect(await admitted(10, auth, login)).toBe(10)
    expect(await auth.check(login)).toMatchObject({ allowed: false, reason: 'limited', retryAfter: 300 })
    for (let second = 1; second < 300; second++) {
      clock.advance(1)
      const decision = await auth.check(login)
      expect(decision).toMatchObject({ allowed: false, reason: 'blocked', retryAfter: 300 - second })
      expect(decision.resetAt).toBe(START / 1000 + 300)
    }
    clock.advance(1)
    expect(await admitted(11, auth, login)).toBe(10)
  })

  it('AUTH_ENDPOINTS counts private addresses, and PUBLIC_API does not', async () => {
    const { limiter } = world()
    const local = view({ ip: '127.0.0.1' })
    expect(await admitted(20, limiter(presets.AUTH_ENDPOINTS), local)).toBe(10)
    expect(await admitted(200, limiter(presets.PUBLIC_API), local)).toBe(200)
  })

  it('the plans share one counter, so an upgrade keeps used units', async () => {
    const { limiter } = world()
    expect(await admitted(130, limiter(presets.PLAN_FREE), by('42'))).toBe(120)
    expect((await limiter(presets.PLAN_PRO).check(by('42'))).remaining).toBe(2500 - 121)
  })

  it('the plans count anonymous clients by address', async () => {
    expect(await admitted(200, world().limiter(presets.PLAN_FREE))).toBe(120)
  })
})
