import { describe, expect, it } from 'vitest'

import { definePolicy, presets } from '../../src/index.ts'
import { mistake, world } from '../world.ts'

describe('definePolicy', () => {
  it('definePolicy keeps the proportion of burst to limit when only the limit changes', () => {
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

  it('definePolicy uses a given burst, and adds none if the base has none', () => {
    expect(definePolicy(presets.PUBLIC_API, { limit: 500, burst: 500 })).toMatchObject({ burst: 500 })
    expect(definePolicy(presets.PUBLIC_API, { window: 1 })).toMatchObject({
      limit: 100,
      burst: 120,
      window: 1,
    })
    expect(definePolicy({ name: 'p', limit: 1, window: 1 }, { limit: 9 })).not.toHaveProperty('burst')
  })

  it('definePolicy changes none of its arguments, and freezes its result', () => {
    const base = { name: 'p', limit: 10, window: 60, burst: 12 }
    const made = definePolicy(base, { limit: 20 })
    expect(base).toEqual({ name: 'p', limit: 10, window: 60, burst: 12 })
    expect(Object.isFrozen(made)).toBe(true)
    expect(Object.isFrozen(definePolicy(base))).toBe(true)
    expect(made).not.toBe(base)
  })

  it('definePolicy treats undefined as absent', () => {
    const overrides = { name: undefined, limit: undefined, burst: undefined, keyStrategy: undefined }
    expect(definePolicy(presets.PUBLIC_API, overrides)).toEqual(presets.PUBLIC_API)
  })

  it('definePolicy drops the fields that another algorithm does not use', () => {
    const sliding = definePolicy(presets.PUBLIC_API, { algorithm: 'sliding-window', precision: 20 })
    expect(sliding).not.toHaveProperty('burst')
    expect(definePolicy(sliding, { algorithm: 'fixed-window' })).not.toHaveProperty('precision')
    for (const policy of [sliding, definePolicy(sliding, { algorithm: 'token-bucket' })])
      expect(world().limiter(policy).policies).toHaveLength(1)
  })

  it('definePolicy makes quotas of quotas', () => {
    expect(definePolicy(presets.QUOTA_FREE_MONTHLY, { limit: 20_000 })).toEqual({
      name: 'free_monthly_requests',
      limit: 20_000,
      period: 'monthly',
    })
  })

  it('definePolicy leaves mistakes to the limiter, which reports them', () => {
    const made = definePolicy(presets.PUBLIC_API, { limit: Number.NaN })
    expect(mistake(() => world().limiter(made)).code).toBe('HALT_E_LIMIT')
    expect(mistake(() => world().limiter(definePolicy(presets.EXPENSIVE_OPS, { limit: 1 }))).code).toBe(
      'HALT_E_BURST',
    )
  })
})
