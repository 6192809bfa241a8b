import {
  CompositeTelemetry,
  type Decision,
  HaltError,
  type HaltWarning,
  PenaltyManager,
  RateLimiter,
} from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { metrics as globalMetrics } from '@opentelemetry/api'
import { DataPointType, type Histogram } from '@opentelemetry/sdk-metrics'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'
import { isFull } from '../../../tools/full.ts'
import { OtelTelemetry, type OtelTelemetryOptions } from '../src/index.ts'
import { broken, limiterOf, type Metering, metering, type Point, view } from './otel.ts'

const api = { name: 'api', limit: 3, window: 60 }
const policy = { 'halt.policy': 'api' }
let meter: Metering
let telemetry: OtelTelemetry
beforeEach(() => {
  meter = metering()
  telemetry = new OtelTelemetry({ meterProvider: meter.meterProvider })
})

describe('OtelTelemetry', () => {
  it('OtelTelemetry counts checks by policy, algorithm, outcome and store', async () => {
    const limiter = limiterOf(api, telemetry)
    for (let i = 0; i < 5; i++) await limiter.check(view())
    const labels = { ...policy, 'halt.algorithm': 'token-bucket', 'halt.store': 'memory' }
    expect(await meter.points('halt.checks')).toEqual([
      { attributes: { ...labels, 'halt.outcome': 'allowed' }, value: 3 },
      { attributes: { ...labels, 'halt.outcome': 'blocked' }, value: 2 },
    ])
    expect(await meter.points('halt.blocked')).toEqual([
      { attributes: { ...policy, 'halt.reason': 'limited' }, value: 2 },
    ])
  })

  it('OtelTelemetry names instruments and units as OpenTelemetry does', async () => {
    const quota = { name: 'q', limit: 2, period: 'monthly', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const
    const store = new InMemoryStore()
    const limiter = limiterOf([api, { ...api, name: 's', limit: 1, mode: 'shadow' }, quota], telemetry, store)
    for (let i = 0; i < 4; i++) await limiter.check(view())
    await limiter.check(view({ path: '/health' }))
    await limiterOf(api, telemetry, broken()).check(view())
    await new PenaltyManager({ store, telemetry, config: { threshold: 1 } }).recordViolation('mallory')
    const found = [...(await meter.metrics()).values()].map(
      ({ descriptor, dataPointType }) =>
        `${descriptor.name} ${descriptor.unit} ${DataPointType[dataPointType]}`,
    )
    expect(found.toSorted()).toEqual([
      'halt.blocked {check} SUM',
      'halt.check.duration s HISTOGRAM',
      'halt.checks {check} SUM',
      'halt.degraded {check} SUM',
      'halt.exempt {request} SUM',
      'halt.near_limit {check} SUM',
      'halt.penalties {penalty} SUM',
      'halt.quota.checks {check} SUM',
      'halt.quota.thresholds {key} SUM',
      'halt.remaining {unit} GAUGE',
      'halt.shadow {check} SUM',
      'halt.store.errors {error} SUM',
      'halt.store.keys {key} GAUGE',
      'halt.violations {violation} SUM',
    ])
    expect(await meter.points('halt.quota.thresholds')).toEqual([
      { attributes: { 'halt.policy': 'q', 'halt.threshold': 1 }, value: 1 },
    ])
  })

  it('OtelTelemetry shows the units left, and counts allowed checks that left little', async () => {
    const roomy = new OtelTelemetry({ meterProvider: meter.meterProvider, nearLimit: 0.2 })
    const limiter = limiterOf({ ...api, limit: 10 }, roomy)
    for (let i = 0; i < 9; i++) await limiter.check(view())
    expect(await meter.points('halt.remaining')).toEqual([{ attributes: policy, value: 1 }])
    expect(await meter.points('halt.near_limit')).toEqual([{ attributes: policy, value: 2 }])
  })

  it('OtelTelemetry counts each second in which a tenant was refused in favour of others, once', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_400 })
    onTestFinished(() => void vi.useRealTimers())
    const fair = {
      name: 'api',
      limit: 100,
      window: 1000,
      keyStrategy: 'shared',
      fair: { by: 'user' },
    } as const
    const limiter = limiterOf(fair, telemetry)
    const refused = async (): Promise<number> => {
      const all = await Promise.all(Array.from({ length: 150 }, () => limiter.consume({ user: 'loud' })))
      return all.filter(({ reason }) => reason === 'fair-share').length
    }
    expect(await refused()).toBeGreaterThan(1)
    vi.setSystemTime(1_700_000_000_900)
    expect(await refused()).toBeGreaterThan(1)
    expect(await meter.points('halt.scarce')).toEqual([{ attributes: policy, value: 1 }])
    vi.setSystemTime(1_700_000_003_100)
    await refused()
    expect(await meter.points('halt.scarce')).toEqual([{ attributes: policy, value: 2 }])
  })

  it('OtelTelemetry counts verdicts of shadow policies, exempt requests and decisions without the store', async () => {
    const limiter = limiterOf([api, { ...api, name: 'next', limit: 1, mode: 'shadow' }], telemetry)
    for (let i = 0; i < 3; i++) await limiter.check(view())
    await limiter.check(view({ path: '/health' }))
    await limiterOf(api, telemetry, broken()).check(view())
    const next = { 'halt.policy': 'next' }
    expect(await meter.points('halt.shadow')).toEqual([
      { attributes: { ...next, 'halt.outcome': 'allowed' }, value: 1 },
      { attributes: { ...next, 'halt.outcome': 'blocked' }, value: 2 },
    ])
    expect(await meter.points('halt.exempt')).toEqual([{ attributes: policy, value: 1 }])
    expect(await meter.points('halt.degraded')).toEqual([
      { attributes: { ...policy, 'halt.mode': 'local' }, value: 1 },
    ])
    expect(await meter.points('halt.store.errors')).toEqual([
      { attributes: { 'halt.store': 'redis', 'error.type': 'unavailable' }, value: 1 },
    ])
    telemetry.onStoreRecovered({ store: 'redis', failures: 1, lastedMs: 5 })
    expect(await meter.points('halt.store.recoveries')).toEqual([
      { attributes: { 'halt.store': 'redis' }, value: 1 },
    ])
  })

  it('OtelTelemetry shows the callers that wait, how long they waited, and why others left', async () => {
    const limiter = limiterOf({ name: 'api', limit: 1, algorithm: 'concurrency', ttl: 60 }, telemetry)
    const leaving = new AbortController()
    const first = await limiter.acquire('job')
    const second = limiter.acquire('job')
    const left = limiter.acquire('job', { signal: leaving.signal }).catch(() => {})
    expect(await meter.points('halt.line.waiting')).toEqual([{ attributes: policy, value: 2 }])
    leaving.abort()
    await left
    await limiter.release(first)
    await second
    telemetry.onWaiting('custom:job', { policy: 'api', units: 1, startsInMs: 5000 })
    telemetry.onTurn('custom:job', { policy: 'api', units: 1, waitedMs: 5000 })
    expect(await meter.points('halt.line.waiting')).toEqual([{ attributes: policy, value: 0 }])
    expect(await meter.points('halt.line.left')).toEqual([
      { attributes: { ...policy, 'halt.why': 'aborted' }, value: 1 },
    ])
    const [{ attributes, value }] = (await meter.points('halt.line.wait')) as [Point]
    const { count, sum } = value as Histogram
    expect([attributes, count]).toEqual([policy, 2])
    expect(sum).toBeGreaterThanOrEqual(5)
  })

  it('OtelTelemetry measures seconds, in buckets that fit', async () => {
    await limiterOf(api, telemetry).check(view())
    const point = (await meter.points('halt.check.duration'))[0] as Point
    const { count, sum, buckets } = point.value as Histogram
    expect(point.attributes).toEqual({ 'halt.store': 'memory' })
    expect([count, buckets.boundaries[0], buckets.boundaries.at(-1)]).toEqual([1, 0.000_01, 1])
    expect(sum).toBeGreaterThan(0)
    expect(sum).toBeLessThan(1)
  })

  it('OtelTelemetry reads the size of the stores when metrics are collected', async () => {
    const store = new InMemoryStore()
    const limiter = limiterOf(api, telemetry, store)
    for (let i = 0; i < 7; i++) await limiter.check(view({ ip: `203.0.113.${i}` }))
    expect(await meter.points('halt.store.keys')).toEqual([
      { attributes: { 'halt.store': 'memory' }, value: 7 },
    ])
    store.clear()
    expect(await meter.points('halt.store.keys')).toEqual([
      { attributes: { 'halt.store': 'memory' }, value: 0 },
    ])
  })

  it('two OtelTelemetries in one composite count together', async () => {
    const other = new OtelTelemetry({ meterProvider: meter.meterProvider })
    await limiterOf(api, new CompositeTelemetry(telemetry, other)).check(view())
    expect((await meter.points('halt.checks')).map(({ value }) => value)).toEqual([2])
  })

  it('OtelTelemetry uses the global meter provider, also one that is set after the limiter was made', async () => {
    const limiter = limiterOf(api, new OtelTelemetry())
    globalMetrics.setGlobalMeterProvider(meter.meterProvider)
    try {
      await limiter.check(view())
      expect(await meter.points('halt.checks')).toHaveLength(1)
    } finally {
      globalMetrics.disable()
    }
  })

  it('a limiter decides as without a telemetry if OtelTelemetry finds no SDK, and warns of nothing', async () => {
    const warned: string[] = []
    const outcomes = async (telemetry?: OtelTelemetry): Promise<unknown[]> => {
      const warn = ({ code }: HaltWarning): void => void warned.push(code)
      const limiter = new RateLimiter({ store: new InMemoryStore(), policy: api, telemetry, warn })
      const decisions: Decision[] = []
      for (const path of ['/things', '/things', '/health', '/things', '/things'])
        decisions.push(await limiter.check(view({ path })))
      return decisions.map(({ allowed, remaining, reason }) => [allowed, remaining, reason])
    }
    const seen = vi.spyOn(OtelTelemetry.prototype, 'onCheck')
    onTestFinished(() => seen.mockRestore())
    expect(await outcomes(new OtelTelemetry())).toEqual(await outcomes())
    expect(seen.mock.results.map(({ type }) => type)).toEqual(Array(4).fill('return'))
    expect(warned).toEqual([])
  })
})

describe('attributes', () => {
  it('attributes stay bounded if each customer has a policy and each store its own name', async () => {
    const few = new OtelTelemetry({ meterProvider: meter.meterProvider, maxPolicies: 10 })
    let customer = 0
    const limiter = limiterOf(() => ({ ...api, name: `c${customer}` }), few)
    for (; customer < 1000; customer++) await limiter.check(view())
    const points = await meter.points('halt.checks')
    expect(points).toHaveLength(11)
    expect(points[10]).toMatchObject({ attributes: { 'halt.policy': 'other' }, value: 990 })
    for (let i = 0; i < 100; i++) await limiterOf(api, few, { ...broken(), kind: `s${i}` }).check(view())
    expect(await meter.points('halt.store.errors')).toHaveLength(20)
    expect(await meter.points('halt.remaining')).toHaveLength(11)
  })

  const [many, said] = isFull ? [20_000, '20 000'] : [5000, '5 000']
  it(`attributes never hold a value that a client chose, under ${said} routes, keys and methods`, async () => {
    const limiter = limiterOf({ ...api, keyStrategy: 'user', scope: 'route' }, telemetry)
    for (let i = 0; i < many; i++) {
      const chosen = { method: `CHOSEN${i}`, route: `/chosen/${i}`, request: { user: { id: `chosen${i}` } } }
      void limiter.checkView(view(chosen))
    }
    const all = await meter.metrics()
    const text = JSON.stringify(
      [...all.values()].map(({ dataPoints }) => dataPoints.map(({ attributes }) => attributes)),
    )
    expect(text.toLowerCase()).not.toContain('chosen')
    expect(await meter.points('halt.checks')).toHaveLength(1)
  })
})

describe('options', () => {
  it.each([
    [{ meterProvider: {} as never }, 'meterProvider'],
    [{ meterProvider: null as never }, 'meterProvider'],
    [{ spanEvents: true as never }, 'spanEvents'],
    [{ nearLimit: -1 }, 'nearLimit'],
    [{ maxPolicies: 0.5 }, 'maxPolicies'],
  ] satisfies [OtelTelemetryOptions, string][])('the options %j are refused', (options, field) => {
    const attempt = (): unknown => new OtelTelemetry(options)
    expect(attempt).toThrow(HaltError)
    expect(attempt).toThrow(new RegExp(`^HALT_E_OPTION: ${field} is `))
  })
})

it('the stack of an options error begins at the line of the user', () => {
  expect(firstLine(() => new OtelTelemetry({ maxPolicies: 0 }))).toContain('metrics.test.ts')
})

/** The first line of the stack of an error. */
function firstLine(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).stack?.split('\n')[1] ?? ''
  }
  return 'nothing was thrown'
}
