import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { type Logger, LoggingTelemetry, PenaltyManager, QuotaManager, RateLimiter } from '../../src/index.ts'
import { makeDigest } from '../../src/databases/index.ts'
import { by, keyed, times, view, world } from '../world.ts'

type Line = [level: string, fields: Record<string, unknown>, message: string]

/** A logger that keeps its lines. */
function logging(): { logger: Logger; lines: Line[]; said: (text: string) => Line[] } {
  const lines: Line[] = []
  const at =
    (level: string) =>
    (...args: unknown[]) =>
      void lines.push([level, ...args] as Line)
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  return { logger, lines, said: text => lines.filter(([, , message]) => message === text) }
}

const policy = { name: 'p', limit: 1, window: 60, keyStrategy: 'user' } as const

describe('LoggingTelemetry', () => {
  it('LoggingTelemetry logs each kind of event at its level, with the fields first as pino wants them', async () => {
    const { logger, lines } = logging()
    const { limiter } = world()
    const one = limiter(policy, { telemetry: new LoggingTelemetry(logger), penalty: { threshold: 1 } })
    await times(2, one, by('42'))
    await one.check(view({ path: '/health' }))
    expect(lines.map(([level, , message]) => [level, message])).toEqual([
      ['debug', 'halt: check'],
      ['info', 'halt: allowed'],
      ['debug', 'halt: check'],
      ['warn', 'halt: blocked'],
      ['info', 'halt: violation'],
      ['warn', 'halt: penalty'],
      ['debug', 'halt: exempt'],
    ])
    expect(lines[3]?.[1]).toMatchObject({ policy: 'p', retryAfter: 60, cost: 1, degraded: false })
  })

  it('LoggingTelemetry logs quotas and penalties of the managers', async () => {
    const { logger, said } = logging()
    const { store } = world(Date.now())
    const telemetry = new LoggingTelemetry(logger)
    const quotas = new QuotaManager(store, { telemetry })
    const quota = { name: 'q', limit: 1, period: 'daily', anchor: aMinuteAgo() } as const
    await quotas.consumeQuota('42', quota)
    await quotas.consumeQuota('42', quota)
    await new PenaltyManager({ store, telemetry }).applyPenalty('42')
    expect(said('halt: quota check').map(([level, { allowed, used }]) => [level, allowed, used])).toEqual([
      ['debug', true, 1],
      ['debug', false, 1],
    ])
    expect(said('halt: quota threshold').map(([level, { threshold }]) => [level, threshold])).toEqual([
      ['info', 1],
    ])
    expect(said('halt: quota exceeded').map(([level, { used }]) => [level, used])).toEqual([['warn', 1]])
    expect(said('halt: penalty')).toHaveLength(1)
  })

  it('LoggingTelemetry logs callers that wait', () => {
    const { logger, lines } = logging()
    const telemetry = new LoggingTelemetry(logger)
    const caller = { policy: 'p', units: 1 }
    telemetry.onWaiting('user:42', { ...caller, startsInMs: 20 })
    telemetry.onTurn('user:42', { ...caller, waitedMs: 21 })
    telemetry.onLeave('user:42', { ...caller, waitedMs: 3, why: 'aborted' })
    const key = makeDigest(undefined)('user:42')
    expect(lines).toEqual([
      ['debug', { key, ...caller, startsInMs: 20 }, 'halt: waiting'],
      ['debug', { key, ...caller, waitedMs: 21 }, 'halt: turn'],
      ['info', { key, ...caller, waitedMs: 3, why: 'aborted' }, 'halt: left the line'],
    ])
  })

  it('LoggingTelemetry logs store errors at error', async () => {
    const { logger, said } = logging()
    const store = { evaluate: () => Promise.reject(new Error('gone')), forget: () => 0 }
    const telemetry = new LoggingTelemetry(logger)
    await new RateLimiter({ store, policy, telemetry, warn: () => {} }).check(view())
    expect(said('halt: store error')).toEqual([
      ['error', { error: 'gone', failure: 'unavailable', store: 'custom' }, 'halt: store error'],
    ])
  })

  it('LoggingTelemetry writes one line per event, whatever keys, methods and errors contain', async () => {
    const written: string[] = []
    const sink = new Writable({
      write(chunk, _encoding, done) {
        written.push(String(chunk))
        done()
      },
    })
    const telemetry = new LoggingTelemetry(new Console({ stdout: sink, stderr: sink }))
    const nasty = 'x"\n2026 ERROR forged\u001b[31m<script>'
    const ask = (limiter: RateLimiter): Promise<unknown> => limiter.check(by(nasty, { method: nasty }))
    const { limiter } = world()
    for (let i = 0; i < 3; i++) await ask(limiter(policy, { telemetry, penalty: { threshold: 1 } }))
    const store = { kind: 'mine', evaluate: () => Promise.reject(new Error(nasty)), forget: () => 0 }
    await ask(limiter(policy, { telemetry, store }))
    const text = written.join('')
    expect(text).toContain('halt: store error')
    expect(text).toContain("endpoint: 'OTHER'")
    expect(text.split('\n').filter(line => line.startsWith('2026'))).toEqual([])
    expect(text).not.toContain('\u001b')
  })

  it.each([undefined, 'a secret of some length'])(
    'LoggingTelemetry never logs a key, only its digest, secret: %s',
    async secret => {
      const { logger, lines } = logging()
      const telemetry = new LoggingTelemetry(logger, { secret })
      const { limiter } = world(Date.now())
      const quota = {
        name: 'q',
        limit: 1,
        period: 'daily',
        anchor: aMinuteAgo(),
        keyStrategy: 'composite',
      } as const
      const one = limiter([{ ...policy, keyStrategy: 'composite' }, quota], {
        telemetry,
        penalty: { threshold: 1 },
      })
      await times(3, one, by('bob@example.com'))
      await times(3, one, keyed('sk_live_do_not_tell'))
      await one.check(by('bob@example.com', { path: '/health' }))
      const text = JSON.stringify(lines)
      for (const raw of ['bob', 'sk_live', '203.0.113.7']) expect(text, raw).not.toContain(raw)
      expect(lines[0]?.[1]['key']).toBe(makeDigest(secret)('user:bob@example.com+ip:203.0.113.7'))
    },
  )
})
