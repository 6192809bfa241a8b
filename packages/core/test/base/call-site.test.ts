import { describe, expect, it } from 'vitest'

import {
  cachedPolicy,
  CompositeTelemetry,
  fromCaller,
  getPlanPolicy,
  HaltError,
  LabelSet,
  llmBudget,
  LoggingTelemetry,
  MetricsTelemetry,
  PenaltyManager,
  PolicyRegistry,
  presets,
  QuotaManager,
  RateLimiter,
  ShadowSurvey,
} from '../../src/index.ts'
import { world } from '../world.ts'

const { store } = world()
const wrong = { name: 'p', limit: 0, window: 60 } as const

/** The lines of a stack, without the message. */
function framesOf(call: () => unknown): string[] {
  try {
    call()
  } catch (error) {
    expect((error as HaltError).name).toBe('HaltError')
    const [head = '', ...frames] = ((error as HaltError).stack ?? '').split('\n')
    expect(head).toContain((error as HaltError).message)
    return frames
  }
  throw new Error('Nothing was thrown.')
}

describe('the stack of a mistake begins with the user’s line', () => {
  const mistakes: [string, () => unknown][] = [
    ['RateLimiter', () => new RateLimiter({ store, policy: wrong })],
    ['RateLimiter without options', () => new RateLimiter(undefined as never)],
    [
      'RateLimiter with a wrong proxy',
      () => new RateLimiter({ store, policy: presets.PUBLIC_API, trustedProxies: ['x'] }),
    ],
    ['QuotaManager', () => new QuotaManager({} as never)],
    ['QuotaManager with a wrong secret', () => new QuotaManager(store, { secret: '' })],
    ['PenaltyManager', () => new PenaltyManager({ store, config: { threshold: -1 } as never })],
    ['PolicyRegistry', () => new PolicyRegistry([wrong])],
    ['cachedPolicy', () => cachedPolicy(5 as never, {} as never)],
    ['llmBudget', () => llmBudget({})],
    ['getPlanPolicy', () => getPlanPolicy('none')],
    ['CompositeTelemetry', () => new CompositeTelemetry(5 as never)],
    ['LoggingTelemetry', () => new LoggingTelemetry(console, { secret: '' })],
    ['MetricsTelemetry', () => new MetricsTelemetry({} as never, { maxPolicies: 0 })],
    ['LabelSet', () => new LabelSet(0)],
    ['ShadowSurvey', () => new ShadowSurvey({ top: 0 })],
  ]
  it.each(mistakes)('the stack of a mistake in %s begins with the user’s line', (_, call) => {
    expect(framesOf(call)[0]).toContain('call-site.test.ts')
  })

  it('the stack of a mistake in a class that extends RateLimiter begins with the user’s line', () => {
    class Own extends RateLimiter {}
    expect(framesOf(() => new Own({ store, policy: wrong }))[0]).toContain('call-site.test.ts')
  })
})

describe('fromCaller', () => {
  it('fromCaller leaves other errors unchanged, and returns the body’s result', () => {
    const error = new Error('other')
    const { stack } = error
    const fails = (): never =>
      fromCaller(fails, () => {
        throw error
      })
    expect(fails).toThrow(error)
    expect(error.stack).toBe(stack)
    expect(fromCaller(fails, () => 5)).toBe(5)
  })
})
