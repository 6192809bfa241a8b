import { describe, expect, it } from 'vitest'

import { Algorithm, KeyStrategy, QuotaPeriod } from '../../src/index.ts'
import { view, world } from '../world.ts'

describe('the names of algorithms, key strategies and periods', () => {
  it('the names of algorithms, key strategies and periods equal their plain strings', () => {
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
  it('a policy without a burst admits its limit at once, and no more', async () => {
    const limiter = world().limiter({ name: 'p', limit: 5, window: 60 })
    const decisions = []
    for (let i = 0; i < 6; i++) decisions.push((await limiter.check(view())).allowed)
    expect(decisions).toEqual([true, true, true, true, true, false])
  })
})
