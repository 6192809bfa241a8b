// A flood of keys, and each thing that a counter may hold meanwhile. packages/core/test/pairs/README.md lists the pairs.
import { PenaltyManager, type Policy, RateLimiter, type RateLimiterOptions } from '@halt/core'
import { guard } from '@halt/core/http'
import { ManualClock } from '@halt/core/testing'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { InMemoryStore } from '../../src/index.ts'

const MAX_KEYS = 100

/** A small store, and a flood of other keys that fills it many times over. */
function crowded() {
  const clock = new ManualClock()
  const store = new InMemoryStore({ maxKeys: MAX_KEYS, clock: clock.now })
  const limiter = (
    policy: RateLimiterOptions['policy'],
    options: Partial<RateLimiterOptions> = {},
  ): RateLimiter => new RateLimiter({ store, policy, warn: () => undefined, ...options })
  return {
    clock,
    store,
    limiter,
    /** The keys come through the same limiter, because a new key takes the room of one of its own policy first. */
    flood: async (through: RateLimiter, policy?: Policy): Promise<void> => {
      for (let i = 0; i < 5 * MAX_KEYS; i++) await through.consume({ custom: `other-${i}` }, { policy })
    },
  }
}

const ANN = { custom: 'ann' } as const
const two: Policy = { name: 'two', limit: 2, window: 3600 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

async function use(limiter: RateLimiter, count: number): Promise<boolean[]> {
  const allowed: boolean[] = []
  for (let i = 0; i < count; i++) allowed.push((await limiter.consume(ANN)).allowed)
  return allowed
}

it('a flood of keys frees no place of a line, so that nobody overtakes those who wait', async () => {
  const { limiter, flood } = crowded()
  const line = limiter({ name: 'line', limit: 1, window: 10, burst: 1 })
  const leaving = new AbortController()
  const waiting = [1, 2, 3].map(() => line.acquire(ANN, { maxWait: '1h', signal: leaving.signal }))
  await waiting[0]
  await flood(line)
  expect(await line.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 30 })
  leaving.abort()
  await Promise.allSettled(waiting)
})

it('a flood of keys frees no place of a request that a guard holds', async () => {
  const { limiter, flood } = crowded()
  const line = limiter({ name: 'line', limit: 1, window: 10, burst: 1 })
  const patient = guard(line, { delay: { maxWait: '1h' } })
  const view = { method: 'GET', path: '/', ip: '203.0.113.7', headers: {}, request: {} }
  const held = [1, 2, 3].map(async () => patient.enter(view, {}))
  await held[0]
  await flood(line)
  expect(await line.check(view)).toMatchObject({ allowed: false, retryAfter: 30 })
  await line.close()
  await Promise.allSettled(held)
})

it('a flood of keys ends no penalty', async () => {
  const { store, limiter, flood } = crowded()
  const penalty = { threshold: 1, duration: 3600, multiplier: 0.5, decayRate: 1, cooldown: 0 }
  const api = limiter({ ...two, limit: 4 } as Policy, { penalty })
  const penalties = new PenaltyManager({ store, config: penalty })
  await penalties.applyPenalty(ANN, { duration: 3600 })
  await flood(api)
  expect((await penalties.getPenalty(ANN)).isActive).toBe(true)
  expect(await api.consume(ANN)).toMatchObject({ limit: 2 })
})

it('a flood of keys gives no unit of a spent quota back', async () => {
  const { limiter, flood } = crowded()
  const month = limiter({
    name: 'month',
    limit: 2,
    period: 'monthly',
    keyExtractor: () => undefined,
  } as Policy)
  expect(await use(month, 3)).toEqual([true, true, false])
  await flood(month)
  expect(await use(month, 1)).toEqual([false])
})

it('a flood of keys forgets a counter in shadow mode before one that refuses', async () => {
  const { limiter, flood } = crowded()
  const shadow = limiter({ ...two, name: 'shadow', mode: 'shadow' } as Policy)
  const api = limiter(two)
  await use(shadow, 3)
  expect(await use(api, 3)).toEqual([true, true, false])
  await flood(shadow)
  await flood(api)
  expect((await shadow.consume(ANN)).verdicts[0]?.allowed).toBe(true)
  expect(await use(api, 1)).toEqual([false])
})

it('a settlement of an evicted counter gives back nothing, and charges the used units', async () => {
  const { limiter, flood } = crowded()
  const api = limiter({ name: 'units', limit: 10, window: 3600, algorithm: 'fixed-window' })
  const refunded = await api.consume(ANN, { cost: 6 })
  await flood(api)
  await api.settle(refunded, 0)
  expect((await api.peek(ANN)).remaining).toBe(10)
  const overdrawn = await api.consume(ANN, { cost: 2 })
  await flood(api)
  await api.settle(overdrawn, 9)
  expect((await api.peek(ANN)).remaining).toBeLessThanOrEqual(3)
})

it('a flood of keys frees no place of requests that are undecided, once one was refused', async () => {
  const { limiter, flood } = crowded()
  const login = limiter({ name: 'login', limit: 5, window: 3600, algorithm: 'fixed-window', inFlight: 2 })
  expect(await use(login, 3)).toEqual([true, true, false])
  await flood(login)
  expect(await use(login, 1)).toEqual([false])
})

it('a flood of keys gives nothing to a request that leaves headroom, once one was refused', async () => {
  const { limiter, flood } = crowded()
  const batch = limiter({ name: 'model', limit: 4, window: 3600, headroom: 0.5 })
  expect(await use(batch, 3)).toEqual([true, true, false])
  await flood(batch)
  expect(await use(batch, 1)).toEqual([false])
})

it('a reset counts no counter that a flood has evicted', async () => {
  const { limiter, flood } = crowded()
  const api = limiter(two)
  await use(api, 1)
  await flood(api)
  expect(await api.reset(ANN)).toBe(0)
})

it('a flood of keys frees no refused client whose limit is lowered, and none more when it is raised', async () => {
  const { limiter, flood } = crowded()
  const registry = { limit: 2 }
  const api = limiter(() => policy())
  const policy = (): Policy => ({ name: 'two', limit: registry.limit, window: 3600 })
  const consume = async (): Promise<boolean> => (await api.consume(ANN, { policy: policy() })).allowed
  expect([await consume(), await consume(), await consume()]).toEqual([true, true, false])
  registry.limit = 1
  await flood(api, policy())
  expect(await consume()).toBe(false)
  registry.limit = 3
  await flood(api, policy())
  expect([await consume(), await consume()]).toEqual([true, false])
})

it('a flood of keys may forget the units that a call holds, and the call pays from the rest', async () => {
  const { limiter, flood } = crowded()
  const day: Policy = {
    name: 'day',
    limit: 100,
    period: 'daily',
    keyStrategy: 'custom',
    keyExtractor: () => '',
  }
  const budget = limiter(day)
  const call = await budget.reserve(ANN, { cost: 80, ttl: '1m', chunk: 1 })
  expect(await call.charge(10)).toBe(true)
  await flood(budget)
  expect((await budget.peek(ANN)).remaining).toBe(100)
  let parts = 0
  while (await call.charge(10)) parts++
  expect(parts).toBe(10)
  await call.settle(110)
  expect((await budget.peek(ANN)).remaining).toBe(0)
})

it('a flood of tenants forgets turns, and the limit that they share holds', async () => {
  const { clock, limiter: make } = crowded()
  const policy: Policy = {
    name: 'pool',
    limit: 100,
    window: 1,
    keyStrategy: 'shared',
    fair: { by: 'user' },
  }
  const limiter = make(policy)
  let passed = 0
  for (let i = 0; i < 5 * MAX_KEYS; i++) {
    clock.advance('1ms')
    if ((await limiter.consume({ user: `t${i}` })).allowed) passed++
  }
  expect(passed).toBeLessThanOrEqual(100 + (100 * 5 * MAX_KEYS) / 1000)
  expect(passed).toBeGreaterThan(100)
})

it.each(['token-bucket', 'fixed-window', 'sliding-window'] as const)(
  'a flood of keys frees no client that is paused, though its policy has no blockDuration: %s',
  async algorithm => {
    const { clock, limiter, flood } = crowded()
    const api = limiter({ ...two, algorithm } as Policy)
    await api.pause(ANN, { for: '2h' })
    await flood(api)
    clock.advance('1h')
    await flood(api)
    expect(await api.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
    clock.advance('1h')
    expect(await use(api, 3)).toEqual([true, true, false])
  },
)

it.each(['token-bucket', 'fixed-window', 'sliding-window'] as const)(
  'a flood of keys of a policy without blockDuration frees no client in a cool-down of another plan: %s',
  async algorithm => {
    const { clock, limiter, flood } = crowded()
    const api = limiter({ ...two, algorithm } as Policy)
    const other = limiter({ ...two, algorithm, blockDuration: '2h' } as Policy)
    const spent = await other.consume(ANN, { cost: 2 })
    expect((await other.consume(ANN)).reason).toBe('limited')
    await other.settle(spent, 0)
    await flood(api)
    clock.advance('1h')
    await flood(api)
    expect(await api.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
    clock.advance('1h')
    expect(await use(api, 3)).toEqual([true, true, false])
  },
)

it('a flood of keys frees no client that the slow one of two buckets refuses', async () => {
  const { clock, limiter, flood } = crowded()
  const api = limiter([{ name: 'second', limit: 2, window: 1 }, two])
  expect(await use(api, 2)).toEqual([true, true])
  clock.advance('1s')
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, policy: 'two' })
  await flood(api)
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, policy: 'two' })
  clock.advance('30m')
  expect(await use(api, 2)).toEqual([true, false])
})

it('a flood of keys may forget what calls of several lengths hold, and together they pay no more than the quota', async () => {
  const { limiter, flood } = crowded()
  const day: Policy = { name: 'day', limit: 100, period: 'daily', keyExtractor: () => '' } as Policy
  const budget = limiter(day)
  const calls = []
  for (const ttl of ['1s', '10s', '1m', '10m'] as const)
    calls.push(await budget.reserve(ANN, { cost: 20, ttl, chunk: 1 }))
  await flood(budget)
  expect((await budget.peek(ANN)).remaining).toBe(100)
  let parts = 0
  for (const call of calls) while (await call.charge(10)) parts++
  expect(parts).toBe(10)
  for (const call of calls) await call.cancel()
  expect((await budget.peek(ANN)).remaining).toBe(100)
  await budget.close()
})
