import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'

import { describe, expect, it } from 'vitest'

import { CompositeTelemetry, LoggingTelemetry, MetricsTelemetry } from '../../src/index.ts'
import { failableLimiter } from '../resilience/faulty-store.ts'
import { by, times, view, world } from '../world.ts'

type Line = [level: string, fields: Record<string, unknown>, message: string]

function logging(): { logger: Record<'debug' | 'info' | 'warn' | 'error', () => void>; lines: Line[] } {
  const lines: Line[] = []
  const at =
    (level: string) =>
    (...args: unknown[]) =>
      void lines.push([level, ...args] as Line)
  return {
    logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    lines,
  }
}

it('the end of an outage reaches the log, the metrics and the channel, also through a composite', async () => {
  const { logger, lines } = logging()
  const counted: unknown[][] = []
  const client = {
    increment: (...args: unknown[]) => void counted.push(args),
    gauge: () => {},
    histogram: () => {},
  }
  const heard: unknown[] = []
  const hear = (message: unknown): void => void heard.push(message)
  subscribe('halt:store:recovered', hear)
  const telemetry = new CompositeTelemetry(new LoggingTelemetry(logger), new MetricsTelemetry(client))
  const { store, limiter, fail } = failableLimiter({ name: 'p', limit: 9, window: 60 }, { telemetry })
  for (let i = 0; i < 2; i++) {
    fail()
    await limiter.check(view())
    store.fault = 'none'
    await limiter.check(view())
  }
  unsubscribe('halt:store:recovered', hear)
  const recovery = { store: 'faulty', failures: 1, lastedMs: expect.any(Number) }
  expect(lines.filter(([, , message]) => message === 'halt: store recovered')).toEqual([
    ['info', recovery, 'halt: store recovered'],
    ['info', recovery, 'halt: store recovered'],
  ])
  expect(counted).toContainEqual(['halt.store.recoveries', 1, { store: 'faulty' }])
  expect(counted.filter(([name]) => name === 'halt.checks.degraded')).toEqual([
    ['halt.checks.degraded', 1, { policy: 'p', mode: 'local' }],
    ['halt.checks.degraded', 1, { policy: 'p', mode: 'local' }],
  ])
  expect(heard).toEqual([recovery, recovery])
  expect(Object.isFrozen(heard[0])).toBe(true)
})

describe('LoggingTelemetry with every', () => {
  it('LoggingTelemetry with every sums up refusals by policy and reason once per period', async () => {
    const { logger, lines } = logging()
    const telemetry = new LoggingTelemetry(logger, { every: '50ms' })
    const { limiter } = world()
    const api = limiter({ name: 'api', limit: 1, window: 60, keyStrategy: 'user' }, { telemetry })
    const login = limiter({ name: 'login', limit: 1, window: 60 }, { telemetry })
    const blocked = (): Line[] => lines.filter(([, , message]) => message === 'halt: blocked')
    for (let round = 1; round <= 2; round++) {
      for (const user of ['ann', 'bob']) await times(4, api, by(user))
      await times(3, login)
      expect(blocked()).toHaveLength(2 * (round - 1))
      while (blocked().length < 2 * round) await sleep(10)
    }
    expect(blocked().slice(0, 2)).toEqual([
      ['warn', { policy: 'api', reason: 'limited', count: 6, keys: 2, overMs: 50 }, 'halt: blocked'],
      ['warn', { policy: 'login', reason: 'limited', count: 2, keys: 1, overMs: 50 }, 'halt: blocked'],
    ])
    expect(JSON.stringify(blocked())).not.toContain('ann')
  })

  it('LoggingTelemetry refuses an invalid duration', () => {
    const { logger } = logging()
    expect(() => new LoggingTelemetry(logger, { every: 'often' })).toThrow(/HALT_E_DURATION/)
    expect(() => new LoggingTelemetry(logger, { ever: 1 } as never)).toThrow(/Did you mean "every"/)
  })
})
