import { describe, expect, it } from 'vitest'

import type { Policy, Telemetry } from '../src/index.ts'
import { times, view, world, type World } from './world.ts'

const fixed: Policy = { name: 'p', limit: 2, window: 60, algorithm: 'fixed-window' }
const HOOKS = [
  'onCheck',
  'onAllowed',
  'onBlocked',
  'onExempt',
  'onQuotaCheck',
  'onQuotaExceeded',
  'onViolation',
  'onPenaltyApplied',
  'onStoreError',
] as const

describe('a hook that fails', () => {
  const failures: [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('no socket')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no socket'))],
    ['never ends', () => new Promise(() => {})],
  ]

  it.each(failures)('that %s changes no decision, and makes no request wait', async (how, fail) => {
    const { limiter, warnings }: World = world()
    const telemetry = Object.fromEntries(HOOKS.map(hook => [hook, fail])) as Telemetry
    const one = limiter(fixed, { telemetry, penalty: { threshold: 1 } })
    const decisions = await times(3, one)
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false])
    expect((await one.check(view({ path: '/health' }))).reason).toBe('exempt')
    await new Promise(resolve => setImmediate(resolve))
    if (how === 'throws' || how === 'rejects') {
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_TELEMETRY'])
      expect(warnings[0]?.message).toContain('no socket')
    }
  })

  it('keeps its own object: hooks are methods', async () => {
    class Counter implements Telemetry {
      checks = 0
      onCheck(): void {
        this.checks++
      }
    }
    const counter = new Counter()
    await times(3, world().limiter(fixed, { telemetry: counter }))
    expect(counter.checks).toBe(3)
  })
})
