import { describe, expect, it } from 'vitest'

import {
  type PenaltyConfig,
  PenaltyManager,
  type PenaltyManagerOptions,
  type PenaltyStatus,
  presets,
} from '../../src/index.ts'
import { mistake, rejection, START, world, type World } from '../world.ts'

const NOW = START / 1000
/** A manager in a world of its own. */
function managing(
  config?: PenaltyConfig,
  options: Partial<PenaltyManagerOptions> = {},
): World & { penalties: PenaltyManager } {
  const here = world()
  return { ...here, penalties: new PenaltyManager({ store: here.store, config, ...options }) }
}

describe('PenaltyManager', () => {
  it('PenaltyManager has no score for an unknown identity', async () => {
    const nothing = { isActive: false, penaltyUntil: 0, abuseScore: 0, violations: 0, lastViolation: 0 }
    expect(await managing().penalties.getPenalty('user_123')).toEqual(nothing)
  })

  it('PenaltyManager sums up violations, and starts a penalty at the threshold', async () => {
    const { penalties } = managing({ threshold: 3, duration: 600, decayRate: 1 })
    expect(await penalties.recordViolation('u')).toEqual({
      isActive: false,
      penaltyUntil: 0,
      abuseScore: 1,
      violations: 1,
      lastViolation: NOW,
    })
    expect((await penalties.recordViolation('u', { severity: 1.9 })).isActive).toBe(false)
    expect(await penalties.recordViolation('u', { severity: 0.1 })).toEqual({
      isActive: true,
      penaltyUntil: NOW + 600,
      abuseScore: 3,
      violations: 3,
      lastViolation: NOW,
    })
  })

  it('PenaltyManager reduces the score by decayRate points per hour', async () => {
    const { clock, penalties } = managing({ threshold: 10, decayRate: 2 })
    await penalties.recordViolation('u', { severity: 5 })
    clock.advance('1h')
    expect((await penalties.getPenalty('u')).abuseScore).toBe(3)
    expect((await penalties.getPenalty('u')).abuseScore).toBe(3)
    await penalties.applyPenalty('u', { duration: 1 })
    expect((await penalties.getPenalty('u')).abuseScore).toBe(3)
    clock.advance('30m')
    expect((await penalties.recordViolation('u')).abuseScore).toBe(3)
    clock.advance('10h')
    expect(await penalties.getPenalty('u')).toMatchObject({ abuseScore: 0 })
  })

  it('a moment of decay does not prevent a penalty, because scores are rounded to a tenth of a point', async () => {
    const { clock, penalties } = managing({ threshold: 2, decayRate: 1 })
    await penalties.recordViolation('u')
    clock.advance(60)
    expect(await penalties.recordViolation('u')).toMatchObject({ isActive: true, abuseScore: 2 })
  })

  it('a violation does not lengthen an active penalty, and the next penalty escalates only if configured', async () => {
    const { clock, penalties } = managing({ threshold: 1, duration: 100, decayRate: 0 })
    await penalties.recordViolation('u')
    clock.advance(50)
    expect((await penalties.recordViolation('u')).penaltyUntil).toBe(NOW + 100)
    clock.advance(50)
    expect((await penalties.getPenalty('u')).isActive).toBe(false)
    expect((await penalties.recordViolation('u')).penaltyUntil).toBe(NOW + 200)
  })

  it('an escalation makes each further penalty longer, up to the configured maximum', async () => {
    const { clock, penalties } = managing({
      threshold: 1,
      duration: 100,
      decayRate: 0,
      escalation: { factor: 3, maxDuration: 500 },
    })
    const lengths = []
    for (let i = 0; i < 4; i++) {
      const { penaltyUntil } = await penalties.recordViolation('u')
      lengths.push(penaltyUntil - clock.now() / 1000)
      clock.advance(penaltyUntil - clock.now() / 1000)
    }
    expect(lengths).toEqual([100, 300, 500, 500])
  })

  it('PenaltyManager applies and clears a penalty by hand', async () => {
    const { penalties } = managing({ duration: 600 })
    expect(await penalties.applyPenalty('u')).toMatchObject({
      isActive: true,
      penaltyUntil: NOW + 600,
      violations: 0,
    })
    expect((await penalties.applyPenalty('u', { duration: '2h' })).penaltyUntil).toBe(NOW + 7200)
    expect((await penalties.applyPenalty('u', { duration: 1 })).penaltyUntil).toBe(NOW + 7200)
    await penalties.clearPenalty('u')
    expect(await penalties.getPenalty('u')).toMatchObject({ isActive: false, abuseScore: 0, penaltyUntil: 0 })
  })

  it('PenaltyManager counts all of 50 concurrent violations', async () => {
    const { penalties } = managing({ threshold: 1000, decayRate: 0 })
    await Promise.all(Array.from({ length: 50 }, () => penalties.recordViolation('u')))
    expect(await penalties.getPenalty('u')).toMatchObject({ violations: 50, abuseScore: 50 })
  })

  it('PenaltyManager treats a bare string as a user, never as another kind of identity', async () => {
    const { penalties } = managing()
    await penalties.recordViolation('ip:203.0.113.7')
    expect((await penalties.getPenalty({ ip: '203.0.113.7' })).violations).toBe(0)
    expect((await penalties.getPenalty({ user: 'ip:203.0.113.7' })).violations).toBe(1)
  })

  it('PenaltyManager takes the presets', async () => {
    for (const [config, threshold, duration] of [
      [presets.PENALTY_LENIENT, 20, 1800],
      [presets.PENALTY_MODERATE, 10, 3600],
      [presets.PENALTY_STRICT, 5, 7200],
    ] as const) {
      const { penalties } = managing(config)
      expect((await penalties.recordViolation('u', { severity: threshold - 0.1 })).isActive).toBe(false)
      expect((await penalties.recordViolation('u', { severity: 0.1 })).penaltyUntil).toBe(NOW + duration)
    }
  })

  it.each([0, -1, Number.NaN, Infinity, '1', null])('a severity of %o is refused', async severity => {
    const { penalties } = managing()
    const asked = penalties.recordViolation('u', { severity: severity as number })
    expect((await rejection(asked)).code).toBe('HALT_E_PENALTY')
    expect((await penalties.getPenalty('u')).violations).toBe(0)
  })

  it('PenaltyManager refuses wrong durations, identities and stores', async () => {
    const { penalties } = managing()
    expect((await rejection(penalties.applyPenalty('u', { duration: -1 }))).code).toBe('HALT_E_PENALTY')
    expect((await rejection(penalties.getPenalty(''))).code).toBe('HALT_E_IDENTITY')
    for (const wrong of [{}, undefined, world().store])
      expect(mistake(() => new PenaltyManager(wrong as PenaltyManagerOptions)).code).toBe(
        'HALT_E_STORE_OPTION',
      )
  })

  it('PenaltyManager reports each violation and each penalty once to telemetry', async () => {
    const heard: [string, string, PenaltyStatus, number?][] = []
    const { clock, penalties } = managing(
      { threshold: 2, duration: 10, decayRate: 0 },
      {
        telemetry: {
          onViolation: (key, status, severity) => heard.push(['violation', key, status, severity]),
          onPenaltyApplied: (key, status) => heard.push(['penalty', key, status]),
        },
      },
    )
    await penalties.recordViolation('u', { severity: 1.5 })
    expect(heard.map(([hook, key, , severity]) => [hook, key, severity])).toEqual([
      ['violation', 'user:u', 1.5],
    ])
    await penalties.recordViolation('u')
    expect(heard.map(([hook]) => hook)).toEqual(['violation', 'violation', 'penalty'])
    clock.advance('500ms')
    await penalties.recordViolation('u')
    expect(heard.map(([hook]) => hook)).toEqual(['violation', 'violation', 'penalty', 'violation'])
    await penalties.applyPenalty('v')
    expect(heard.at(-1)).toMatchObject(['penalty', 'user:v', { isActive: true }])
  })

  it('PenaltyManager does not report a penalty that is already active: escalated, by hand, or shorter', async () => {
    const applied: string[] = []
    const escalation = { factor: 3, maxDuration: '1h' } as const
    const { clock, penalties } = managing(
      { threshold: 1, duration: 10, decayRate: 0, escalation },
      { telemetry: { onPenaltyApplied: key => applied.push(key) } },
    )
    await penalties.recordViolation('u')
    clock.advance(11)
    await penalties.recordViolation('u')
    expect(applied.length).toBe(2)
    clock.advance(1)
    await penalties.recordViolation('u')
    await penalties.applyPenalty('u', { duration: 5 })
    expect(applied.length).toBe(2)
    await penalties.applyPenalty('u', { duration: '2h' })
    await penalties.recordViolation('u')
    expect(applied.length).toBe(3)
  })

  it('PenaltyManager rejects with a code when the store does not answer', async () => {
    const store = { evaluate: () => Promise.reject(new Error('gone')), forget: () => 0 }
    const penalties = new PenaltyManager({ store, warn: () => {} })
    expect((await rejection(penalties.recordViolation('u'))).code).toBe('HALT_E_STORE')
  })
})
