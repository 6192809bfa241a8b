import { describe, expect, it } from 'vitest'

import { PenaltyManager, type PenaltyConfig, type Policy } from '../../src/index.ts'
import { mistake, world } from '../world.ts'

const fixed: Policy = { name: 'p', limit: 10, window: 60, algorithm: 'fixed-window' }

describe('the configuration of a penalty', () => {
  const wrong: Record<string, unknown[]> = {
    threshold: [0, -1, Number.NaN, Infinity, '10', null],
    duration: [0, -1, Number.NaN, '1 hour', null],
    multiplier: [0, -0.5, 1.1, Number.NaN, '0.5', null],
    decayRate: [-1, Number.NaN, Infinity, '1', null],
    cooldown: [-1, Number.NaN, '1 hour', null],
    escalation: [5, null, { factor: 0.5 }, { factor: Number.NaN }, { factor: 2, maxDuration: 0 }],
    recordOn: ['always', null],
  }
  const cases = Object.entries(wrong).flatMap(([name, values]) => values.map(value => [name, value] as const))
  it.each(cases)('the configuration of a penalty refuses the %s %o', (name, value) => {
    const config = { [name]: value } as unknown as PenaltyConfig
    const { limiter, store } = world()
    expect(mistake(() => limiter(fixed, { penalty: config })).code).toBe('HALT_E_PENALTY')
    if (name === 'recordOn') return
    expect(mistake(() => new PenaltyManager({ store, config })).code).toBe('HALT_E_PENALTY')
  })

  it('the configuration of a penalty refuses unknown fields', () => {
    for (const penalty of [
      { decay: 1 },
      { escalation: { factor: 2, max: '1d' } },
    ] as unknown as PenaltyConfig[])
      expect(mistake(() => world().limiter(fixed, { penalty })).code).toBe('HALT_E_UNKNOWN_FIELD')
  })

  it('the configuration of a penalty accepts every field', () => {
    const penalty = {
      threshold: 0.1,
      duration: '1m',
      multiplier: 1,
      decayRate: 0,
      cooldown: 0,
      escalation: { factor: 2, maxDuration: '1d' },
      recordOn: 'never' as const,
    }
    expect(world().limiter(fixed, { penalty }).policies).toHaveLength(1)
    expect(world().limiter(fixed, { penalty: {} }).policies).toHaveLength(1)
  })
})
