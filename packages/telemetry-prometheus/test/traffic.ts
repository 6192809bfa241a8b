// Requests that change every metric, and the samples of a registry.
import { PenaltyManager, QuotaManager, type RequestView, RateLimiter, type Telemetry } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import type { Registry } from 'prom-client'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'

/** A request from an address that is not exempt. */
export function view(changes: Partial<RequestView> = {}): RequestView {
  return { method: 'GET', path: '/things', ip: '203.0.113.7', headers: {}, request: {}, ...changes }
}

/** A limiter without warnings. */
export function limiterOf(
  policy: ConstructorParameters<typeof RateLimiter>[0]['policy'],
  telemetry: Telemetry,
  store: ConstructorParameters<typeof RateLimiter>[0]['store'] = new InMemoryStore(),
): RateLimiter {
  return new RateLimiter({ store, policy, telemetry, warn: () => {} })
}

/** A store that is away. */
export const broken = (): ConstructorParameters<typeof RateLimiter>[0]['store'] => ({
  kind: 'redis',
  evaluate: () => Promise.reject(new Error('gone')),
  forget: () => 0,
})

/** Changes every metric. */
export async function drive(telemetry: Telemetry, store: InMemoryStore = new InMemoryStore()): Promise<void> {
  const api = { name: 'api', limit: 3, window: 60 }
  const candidate = { ...api, name: 'candidate', limit: 2, mode: 'shadow' } as const
  const quota = {
    name: 'monthly',
    limit: 4,
    period: 'monthly',
    anchor: aMinuteAgo(),
    keyStrategy: 'ip',
  } as const
  const limiter = limiterOf([api, candidate, quota], telemetry, store)
  for (let i = 0; i < 5; i++) await limiter.check(view())
  await limiter.check(view({ path: '/health' }))
  await limiterOf(api, telemetry, broken()).check(view())
  await changeLine(telemetry, store)
  const penalties = new PenaltyManager({ store, config: { threshold: 1 }, telemetry })
  await penalties.recordViolation('mallory')
  const quotas = new QuotaManager(store, { telemetry })
  await quotas.consumeQuota({ user: 'ann' }, quota, { cost: 4 })
}

/** Lets one caller wait for another's end, and a third one leave. */
async function changeLine(telemetry: Telemetry, store: InMemoryStore): Promise<void> {
  const limiter = limiterOf({ name: 'line', limit: 1, algorithm: 'concurrency', ttl: 60 }, telemetry, store)
  const first = await limiter.acquire('job')
  const second = limiter.acquire('job')
  const leaving = new AbortController()
  const third = limiter.acquire('job', { signal: leaving.signal }).catch(() => {})
  leaving.abort()
  await limiter.release(first)
  await third
  await limiter.release(await second)
}

/** The samples of a registry, by `name{label="value"}`. */
export async function samples(register: Registry): Promise<Map<string, number>> {
  const lines = (await register.metrics()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
}
