import { CompositeTelemetry, PenaltyManager } from '@halt/core'
import type { Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'
import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'
import { PrometheusTelemetry } from '../src/index.ts'
import { broken, drive, limiterOf, samples, view } from './traffic.ts'

const api = { name: 'api', limit: 3, window: 60 }
let register: Registry
let telemetry: PrometheusTelemetry
beforeEach(() => {
  register = new Registry()
  telemetry = new PrometheusTelemetry({ register })
})

describe('PrometheusTelemetry', () => {
  it('PrometheusTelemetry counts checks by policy, algorithm, outcome and store, each from 0', async () => {
    const limiter = limiterOf(api, telemetry)
    await limiter.check(view())
    const labels = 'policy="api",algorithm="token-bucket"'
    const of = async (outcome: string): Promise<number | undefined> =>
      (await samples(register)).get(`halt_checks_total{${labels},outcome="${outcome}",store="memory"}`)
    expect([await of('allowed'), await of('blocked'), await of('shadow_blocked')]).toEqual([1, 0, 0])
    for (let i = 0; i < 4; i++) await limiter.check(view())
    expect([await of('allowed'), await of('blocked')]).toEqual([3, 2])
    expect((await samples(register)).get('halt_blocked_total{policy="api",reason="limited"}')).toBe(2)
  })

  it('PrometheusTelemetry counts policies, algorithms and stores separately', async () => {
    await limiterOf(api, telemetry).check(view())
    await limiterOf({ ...api, algorithm: 'fixed-window' }, telemetry).check(view())
    await limiterOf({ ...api, name: 'other-api' }, telemetry).check(view())
    await limiterOf(api, telemetry, broken()).check(view())
    const checks = [...(await samples(register))].filter(
      ([name, value]) => name.startsWith('halt_checks_total') && value > 0,
    )
    expect(checks.map(([name]) => name)).toEqual([
      'halt_checks_total{policy="api",algorithm="token-bucket",outcome="allowed",store="memory"}',
      'halt_checks_total{policy="api",algorithm="fixed-window",outcome="allowed",store="memory"}',
      'halt_checks_total{policy="other-api",algorithm="token-bucket",outcome="allowed",store="memory"}',
      'halt_checks_total{policy="api",algorithm="token-bucket",outcome="allowed",store="redis"}',
    ])
  })

  it('PrometheusTelemetry shows the units left, and counts allowed checks that left little', async () => {
    const limiter = limiterOf({ ...api, limit: 10 }, new PrometheusTelemetry({ register, nearLimit: 0.2 }))
    const seen: unknown[] = []
    for (let i = 0; i < 11; i++) {
      await limiter.check(view())
      const now = await samples(register)
      seen.push([now.get('halt_remaining{policy="api"}'), now.get('halt_near_limit_total{policy="api"}')])
    }
    // The checks leave two, one and none. The refusal does not count as near the limit.
    expect(seen.slice(6)).toEqual([
      [3, 0],
      [2, 1],
      [1, 2],
      [0, 3],
      [0, 3],
    ])
  })

  it('PrometheusTelemetry counts each policy of a check, not only the binding one', async () => {
    await limiterOf([api, { ...api, name: 'wide', limit: 100 }], telemetry).check(view())
    const now = await samples(register)
    expect([now.get('halt_remaining{policy="api"}'), now.get('halt_remaining{policy="wide"}')]).toEqual([
      2, 99,
    ])
  })

  it('PrometheusTelemetry counts each second in which a tenant was refused in favour of others, once', async () => {
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
    expect((await samples(register)).get('halt_scarce_seconds_total{policy="api"}')).toBe(1)
    vi.setSystemTime(1_700_000_003_100)
    await refused()
    expect((await samples(register)).get('halt_scarce_seconds_total{policy="api"}')).toBe(2)
  })

  it('PrometheusTelemetry counts verdicts of shadow policies', async () => {
    const limiter = limiterOf([api, { ...api, name: 'next', limit: 1, mode: 'shadow' }], telemetry)
    for (let i = 0; i < 3; i++) await limiter.check(view())
    const now = await samples(register)
    expect(now.get('halt_shadow_total{policy="next",outcome="allowed"}')).toBe(1)
    expect(now.get('halt_shadow_total{policy="next",outcome="blocked"}')).toBe(2)
    expect(
      now.get(
        'halt_checks_total{policy="api",algorithm="token-bucket",outcome="shadow_blocked",store="memory"}',
      ),
    ).toBe(2)
    expect(now.has('halt_remaining{policy="next"}')).toBe(true)
    expect(now.get('halt_near_limit_total{policy="next"}')).toBe(0)
  })

  it('PrometheusTelemetry counts exempt requests', async () => {
    await limiterOf(api, telemetry).check(view({ path: '/health' }))
    const now = await samples(register)
    expect(now.get('halt_exempt_total{policy="api"}')).toBe(1)
    expect([...now.keys()].some(name => name.startsWith('halt_checks_total'))).toBe(false)
  })

  it('PrometheusTelemetry labels a policy that was not found as none', async () => {
    const warned = limiterOf(() => undefined as never, telemetry)
    await warned.check(view())
    expect((await samples(register)).get('halt_blocked_total{policy="none",reason="policy-error"}')).toBe(1)
  })

  it('PrometheusTelemetry shows the callers that wait, how long they waited, and why others left', async () => {
    const limiter = limiterOf({ name: 'line', limit: 1, algorithm: 'concurrency', ttl: 60 }, telemetry)
    const leaving = new AbortController()
    const { signal } = leaving
    const first = await limiter.acquire('job')
    const second = limiter.acquire('job')
    const left = limiter.acquire('job', { signal }).catch(() => {})
    await Promise.resolve()
    expect((await samples(register)).get('halt_line_waiting{policy="line"}')).toBe(2)
    // A registry that is reset goes on with the callers that wait now.
    register.resetMetrics()
    leaving.abort()
    await left
    await limiter.release(first)
    await second
    telemetry.onWaiting('custom:job', { policy: 'line', units: 1, startsInMs: 5000 })
    telemetry.onTurn('custom:job', { policy: 'line', units: 1, waitedMs: 5000 })
    const now = await samples(register)
    expect(now.get('halt_line_waiting{policy="line"}')).toBe(0)
    expect(now.get('halt_line_left_total{policy="line",why="aborted"}')).toBe(1)
    expect(now.get('halt_line_wait_seconds_count{policy="line"}')).toBe(2)
    expect(now.get('halt_line_wait_seconds_sum{policy="line"}')).toBeGreaterThanOrEqual(5)
  })

  it('PrometheusTelemetry counts failures of a store from 0, and decisions without it', async () => {
    const limiter = limiterOf(api, telemetry, broken())
    const errors = 'halt_store_errors_total{store="redis",failure="unavailable"}'
    expect((await samples(register)).get(errors)).toBe(0)
    await limiter.check(view())
    const now = await samples(register)
    expect(now.get(errors)).toBe(1)
    expect(now.get('halt_degraded_total{policy="api",mode="local"}')).toBe(1)
  })

  it('PrometheusTelemetry counts ended outages from 0', async () => {
    let isAway = true
    const inner = new InMemoryStore()
    const store: Store = {
      kind: 'redis',
      evaluate: group => (isAway ? Promise.reject(new Error('gone')) : inner.evaluate(group)),
      forget: cells => inner.forget(cells),
    }
    const limiter = limiterOf(api, telemetry, store)
    const recoveries = async (): Promise<unknown> =>
      (await samples(register)).get('halt_store_recoveries_total{store="redis"}')
    await limiter.check(view())
    expect(await recoveries()).toBe(0)
    isAway = false
    for (let i = 0; i < 3; i++) await limiter.check(view())
    expect(await recoveries()).toBe(1)
  })

  it('PrometheusTelemetry counts quotas and their thresholds', async () => {
    const quota = {
      name: 'monthly',
      limit: 4,
      period: 'monthly',
      anchor: aMinuteAgo(),
      keyStrategy: 'ip',
    } as const
    const limiter = limiterOf(quota, telemetry)
    for (let i = 0; i < 6; i++) await limiter.check(view())
    const now = await samples(register)
    expect(now.get('halt_quota_checks_total{policy="monthly",outcome="allowed"}')).toBe(4)
    expect(now.get('halt_quota_checks_total{policy="monthly",outcome="blocked"}')).toBe(2)
    expect(now.get('halt_quota_thresholds_total{policy="monthly",threshold="1"}')).toBe(1)
  })

  it('PrometheusTelemetry counts violations and penalties', async () => {
    expect((await samples(register)).get('halt_penalties_total')).toBe(0)
    const penalties = new PenaltyManager({ store: new InMemoryStore(), config: { threshold: 2 }, telemetry })
    for (let i = 0; i < 2; i++) await penalties.recordViolation('mallory')
    const now = await samples(register)
    expect([now.get('halt_violations_total'), now.get('halt_penalties_total')]).toEqual([2, 1])
  })

  it('PrometheusTelemetry reads the size of each store once per scrape', async () => {
    const store = new InMemoryStore()
    const limiter = limiterOf(api, telemetry, store)
    limiterOf(api, telemetry, store)
    limiterOf(api, telemetry, broken())
    const held = async (): Promise<unknown> =>
      (await samples(register)).get('halt_store_keys{store="memory"}')
    expect(await held()).toBe(0)
    for (let i = 0; i < 7; i++) await limiter.check(view({ ip: `203.0.113.${i}` }))
    expect(await held()).toBe(7)
    store.clear()
    expect(await held()).toBe(0)
    expect((await samples(register)).has('halt_store_keys{store="redis"}')).toBe(false)
  })

  it('PrometheusTelemetry measures the duration of checks by store', async () => {
    const limiter = limiterOf(api, telemetry)
    for (let i = 0; i < 5; i++) await limiter.check(view())
    const now = await samples(register)
    expect(now.get('halt_check_duration_seconds_count{store="memory"}')).toBe(5)
    expect(now.get('halt_check_duration_seconds_bucket{le="+Inf",store="memory"}')).toBe(5)
    const sum = now.get('halt_check_duration_seconds_sum{store="memory"}') as number
    expect(sum).toBeGreaterThan(0)
    expect(sum).toBeLessThan(1)
  })

  it('PrometheusTelemetry works beside another telemetry', async () => {
    let heard = 0
    const both = new CompositeTelemetry(telemetry, { onCheck: () => void heard++ })
    await drive(both)
    expect(heard).toBe(8)
    expect((await samples(register)).get('halt_penalties_total')).toBe(1)
    expect((await samples(register)).get('halt_store_keys{store="memory"}')).toBeGreaterThan(0)
  })
})
