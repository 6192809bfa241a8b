import { describe, expect, it } from 'vitest'

import { Algorithm, definePolicy, KeyStrategy, presets, QuotaPeriod } from '../../src/index.ts'
import { mistake, view, world } from '../world.ts'

describe('definePolicy', () => {
  it('keeps the proportion of burst to limit when only the limit changes', () => {
    expect(definePolicy(presets.PUBLIC_API, { limit: 500 })).toEqual({
      ...presets.PUBLIC_API,
      limit: 500,
      burst: 600,
    })
    expect(definePolicy(presets.AUTH_ENDPOINTS, { limit: 3 })).toMatchObject({ burst: 6, blockDuration: 300 })
    expect(definePolicy({ name: 'p', limit: 600, window: 60, burst: 10 }, { limit: 6 })).toMatchObject({
      burst: 1,
    })
  })

  it('takes a burst that is given, and invents none where there was none', () => {
    expect(definePolicy(presets.PUBLIC_API, { limit: 500, burst: 500 })).toMatchObject({ burst: 500 })
    expect(definePolicy(presets.PUBLIC_API, { window: 1 })).toMatchObject({
      limit: 100,
      burst: 120,
      window: 1,
    })
    expect(definePolicy({ name: 'p', limit: 1, window: 1 }, { limit: 9 })).not.toHaveProperty('burst')
  })

  it('changes neither what it is given nor lets its result be changed', () => {
    const base = { name: 'p', limit: 10, window: 60, burst: 12 }
    const made = definePolicy(base, { limit: 20 })
    expect(base).toEqual({ name: 'p', limit: 10, window: 60, burst: 12 })
    expect(Object.isFrozen(made)).toBe(true)
    expect(Object.isFrozen(definePolicy(base))).toBe(true)
    expect(made).not.toBe(base)
  })

  it('takes undefined for absent', () => {
    const overrides = { name: undefined, limit: undefined, burst: undefined, keyStrategy: undefined }
    expect(definePolicy(presets.PUBLIC_API, overrides)).toEqual(presets.PUBLIC_API)
  })

  it('leaves out what another algorithm has no use for', () => {
    const sliding = definePolicy(presets.PUBLIC_API, { algorithm: 'sliding-window', precision: 20 })
    expect(sliding).not.toHaveProperty('burst')
    expect(definePolicy(sliding, { algorithm: 'fixed-window' })).not.toHaveProperty('precision')
    for (const policy of [sliding, definePolicy(sliding, { algorithm: 'token-bucket' })])
      expect(world().limiter(policy).policies).toHaveLength(1)
  })

  it('makes quotas of quotas', () => {
    expect(definePolicy(presets.QUOTA_FREE_MONTHLY, { limit: 20_000 })).toEqual({
      name: 'free_monthly_requests',
      limit: 20_000,
      period: 'monthly',
    })
  })

  it('leaves mistakes to the limiter, which names them', () => {
    const made = definePolicy(presets.PUBLIC_API, { limit: Number.NaN })
    expect(mistake(() => world().limiter(made)).code).toBe('HALT_E_LIMIT')
    expect(mistake(() => world().limiter(definePolicy(presets.EXPENSIVE_OPS, { limit: 1 }))).code).toBe(
      'HALT_E_BURST',
    )
  })
})

describe('the names of algorithms, key strategies and periods', () => {
  it('are the plain texts', () => {
    expect(Algorithm).toEqual({
      TOKEN_BUCKET: 'token-bucket',
      FIXED_WINDOW: 'fixed-window',
      SLIDING_WINDOW: 'sliding-window',
      CONCURRENCY: 'concurrency',
    })
    expect(KeyStrategy).toEqual({
      IP: 'ip',
      USER: 'user',
      API_KEY: 'api-key',
      COMPOSITE: 'composite',
      SHARED: 'shared',
      CUSTOM: 'custom',
    })
    expect(Object.values(QuotaPeriod)).toEqual(['hourly', 'daily', 'weekly', 'monthly', 'yearly'])
  })
})

describe('a policy without a burst', () => {
  it('admits its limit at once, and no more', async () => {
    const limiter = world().limiter({ name: 'p', limit: 5, window: 60 })
    const decisions = []
    for (let i = 0; i < 6; i++) decisions.push((await limiter.check(view())).allowed)
    expect(decisions).toEqual([true, true, true, true, true, false])
  })
})
