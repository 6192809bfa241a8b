import { describe, expect, it } from 'vitest'

import type { Policy, Telemetry } from '../../src/index.ts'
import { times, view, world, type World } from '../world.ts'
import { HOOKS } from '../telemetry/hook-names.ts'

const fixed: Policy = { name: 'p', limit: 2, window: 60, algorithm: 'fixed-window' }
const ALL_HOOKS = ['onStore', ...HOOKS] as const

describe('a hook that fails', () => {
  const failures: [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('no socket')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no socket'))],
    [
      'rejects in its own way',
      // oxlint-disable-next-line unicorn/no-thenable -- some libraries' promises are no more than this
      () => ({ then: (_: unknown, no: (error: unknown) => void) => no('no socket') }),
    ],
    ['never ends', () => new Promise(() => {})],
  ]

  it.each(failures)('a hook that %s does not change a decision or delay a request', async (how, fail) => {
    const { limiter, warnings }: World = world()
    const telemetry = Object.fromEntries(ALL_HOOKS.map(hook => [hook, fail])) as Telemetry
    const one = limiter(fixed, { telemetry, penalty: { threshold: 1 } })
    const decisions = await times(3, one)
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, false])
    expect((await one.check(view({ path: '/health' }))).reason).toBe('exempt')
    await new Promise(resolve => setImmediate(resolve))
    if (how !== 'never ends') {
      expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_TELEMETRY'])
      expect(warnings[0]?.message).toContain('no socket')
    }
  })

  it('a hook gets as many arguments as it takes', async () => {
    const calls = new Map<string, number>()
    const telemetry = Object.fromEntries(
      ALL_HOOKS.map(hook => [hook, (...args: unknown[]) => void calls.set(hook, args.length)]),
    ) as Telemetry
    const { limiter } = world()
    const quota = { name: 'q', limit: 1, period: 'daily', keyStrategy: 'ip' } as const
    const one = limiter([fixed, quota], { telemetry, penalty: { threshold: 1 } })
    await times(3, one)
    await one.check(view({ path: '/health' }))
    const store = { evaluate: () => Promise.reject(new Error('gone')), forget: () => 0 }
    await limiter(fixed, { telemetry, store }).check(view())
    expect(Object.fromEntries(calls)).toEqual({
      onStore: 1,
      onCheck: 3,
      onAllowed: 3,
      onBlocked: 3,
      onExempt: 3,
      onQuotaCheck: 3,
      onQuotaExceeded: 2,
      onQuotaThreshold: 3,
      onViolation: 3,
      onPenaltyApplied: 2,
      onStoreError: 2,
    })
  })

  it('a hook is called on its own object', async () => {
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

it('a check resolves although every hook and the receiver of warnings throw', async () => {
  const fail = (): never => {
    throw new Error('broken')
  }
  const { limiter } = world()
  const telemetry = { onCheck: fail, onAllowed: fail, onExempt: fail, onBlocked: fail }
  const one = limiter({ name: 'p', limit: 1, window: 60 }, { telemetry, warn: fail })
  expect((await times(2, one, view({ ip: undefined }))).map(({ allowed }) => allowed)).toEqual([true, false])
})
