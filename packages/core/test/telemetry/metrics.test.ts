import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { type MetricsClient, MetricsTelemetry, PenaltyManager, RateLimiter } from '../../src/index.ts'
import { by, keyed, times, view, world } from '../world.ts'

type Metric = [kind: string, name: string, value: number, tags: Readonly<Record<string, string>>]

/** A metrics client that records its calls. */
function measuring(): { client: MetricsClient; metrics: Metric[]; of: (name: string) => Metric[] } {
  const metrics: Metric[] = []
  const as =
    (kind: string): MetricsClient['gauge'] =>
    (name, value, tags) =>
      void metrics.push([kind, name, value, tags])
  const client = { increment: as('increment'), gauge: as('gauge'), histogram: as('histogram') }
  return { client, metrics, of: name => metrics.filter(metric => metric[1] === name) }
}

const policy = { name: 'p', limit: 2, window: 60, algorithm: 'fixed-window', keyStrategy: 'user' } as const

describe('MetricsTelemetry', () => {
  it('MetricsTelemetry counts checks by policy and outcome', async () => {
    const { client, of } = measuring()
    const limiter = world().limiter(policy, { telemetry: new MetricsTelemetry(client) })
    await times(3, limiter, by('42'))
    await limiter.check(view({ path: '/health' }))
    const tags = { policy: 'p', algorithm: 'fixed-window', store: 'reference' }
    expect(of('halt.checks.total')).toEqual([
      ['increment', 'halt.checks.total', 1, { ...tags, outcome: 'allowed' }],
      ['increment', 'halt.checks.total', 1, { ...tags, outcome: 'allowed' }],
      ['increment', 'halt.checks.total', 1, { ...tags, outcome: 'blocked' }],
    ])
    expect(of('halt.requests.allowed')).toHaveLength(2)
    expect(of('halt.requests.blocked')).toEqual([
      ['increment', 'halt.requests.blocked', 1, { policy: 'p', reason: 'limited' }],
    ])
    expect(of('halt.requests.exempt')).toHaveLength(1)
    expect(of('halt.remaining').map(([kind, , value]) => [kind, value])).toEqual([
      ['gauge', 1],
      ['gauge', 0],
      ['gauge', 0],
    ])
    expect(of('halt.check.duration_ms').every(([kind, , value]) => kind === 'histogram' && value >= 0)).toBe(
      true,
    )
  })

  it('MetricsTelemetry counts quotas, violations, penalties and store errors', async () => {
    const { client, of } = measuring()
    const telemetry = new MetricsTelemetry(client)
    const { limiter, store } = world(Date.now())
    const quota = { name: 'q', limit: 2, period: 'daily', anchor: aMinuteAgo() } as const
    await times(3, limiter(quota, { telemetry }), by('42'))
    expect(of('halt.quota.checks').map(([, , , { allowed }]) => allowed)).toEqual(['true', 'true', 'false'])
    expect(of('halt.quota.remaining').map(([, , value]) => value)).toEqual([1, 0, 0])
    expect(of('halt.quota.thresholds').map(([, , , { threshold }]) => threshold)).toEqual(['1'])
    expect(of('halt.quota.exceeded').map(([, , , { quota: name }]) => name)).toEqual(['q'])
    const penalties = new PenaltyManager({ store, config: { threshold: 3 }, telemetry })
    await penalties.recordViolation('7', { severity: 2 })
    await penalties.recordViolation('7', { severity: 2 })
    expect(of('halt.violations.total')).toHaveLength(2)
    expect(of('halt.violations.severity').map(([, , value]) => value)).toEqual([2, 2])
    expect(of('halt.penalties.abuse_score').map(([, , value]) => value)).toEqual([2, 4])
    expect(of('halt.penalties.applied')).toHaveLength(1)
    const broken = { evaluate: () => Promise.reject(new Error('gone')), forget: () => 0, kind: 'mine' }
    await new RateLimiter({ store: broken, policy, telemetry, warn: () => {} }).check(view())
    expect(of('halt.store.errors')).toEqual([
      ['increment', 'halt.store.errors', 1, { failure: 'unavailable', store: 'mine' }],
    ])
  })

  it('MetricsTelemetry shows the callers that wait, how long they waited, and why others left', async () => {
    const { client, of } = measuring()
    const line = { ...policy, limit: 1, window: '20ms' } as const
    const limiter = world(Date.now()).limiter(line, { telemetry: new MetricsTelemetry(client) })
    const leaving = new AbortController()
    await limiter.acquire({ user: '42' })
    const turn = limiter.acquire({ user: '42' }, { signal: leaving.signal }).catch(() => {})
    leaving.abort()
    await turn
    const closed = limiter.acquire({ user: '42' }).catch(() => {})
    await limiter.close()
    await closed
    expect(of('halt.line.waiting').map(([kind, , value]) => [kind, value])).toEqual([
      ['gauge', 1],
      ['gauge', 0],
      ['gauge', 1],
      ['gauge', 0],
    ])
    expect(of('halt.line.left').map(([, , , tags]) => tags)).toEqual([
      { policy: 'p', why: 'aborted' },
      { policy: 'p', why: 'closed' },
    ])
    new MetricsTelemetry(client).onTurn('user:42', { policy: 'p', units: 1, waitedMs: 250 })
    expect(of('halt.line.wait_ms')).toEqual([['histogram', 'halt.line.wait_ms', 250, { policy: 'p' }]])
  })

  it('MetricsTelemetry never uses a value from a client as a tag', async () => {
    const { client, metrics } = measuring()
    const limiter = world().limiter(
      { ...policy, keyStrategy: 'composite' },
      { telemetry: new MetricsTelemetry(client), penalty: {} },
    )
    const chosen = {
      path: '/chosen-path',
      headers: { 'x-api-key': 'chosen-key', 'user-agent': 'chosen-agent' },
    }
    for (let i = 0; i < 4; i++) await limiter.check(by(`chosen-${i}`, chosen))
    await times(4, limiter, keyed('chosen-key', { path: '/chosen-path' }))
    expect(metrics.length).toBeGreaterThan(20)
    expect(JSON.stringify(metrics)).not.toContain('chosen')
    expect(JSON.stringify(metrics)).not.toContain('203.0.113.7')
  })
})
