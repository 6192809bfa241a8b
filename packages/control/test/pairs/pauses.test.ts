// Clients that `pause` refuses for some time, beside what else a limiter does. README.md lists the pairs.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import {
  type Policy,
  PenaltyManager,
  PolicyRegistry,
  type Quota,
  QuotaManager,
  type RatePolicy,
} from '@halt/core'
import { guard } from '@halt/core/http'
import { fakeOutage } from '@halt/core/testing'
import { passingWorld } from '../../../core/test/waiting/passing-world.ts'
import { rejection, view, world } from '../../../core/test/world.ts'
import { controlOf } from '../control-of.ts'

const ANN = { user: 'ann' } as const
const API: Policy = { name: 'api', limit: 10, window: 3600, keyStrategy: 'user' }
const DAY: Quota = { name: 'day', limit: 100, period: 'daily' }
const EVEN: Policy = { name: 'calls', limit: 10, window: 1, burst: 1 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => void vi.useRealTimers())

it('a call of a client that is paused goes on, and a new one is refused and holds nothing', async () => {
  const { limiter, store } = world()
  const own = limiter([API, DAY])
  const [short, long] = [
    await own.reserve(ANN, { cost: { api: 1, day: 20 }, ttl: '1m' }),
    await own.reserve(ANN, { cost: { api: 1, day: 30 }, ttl: '10m' }),
  ]
  await own.pause(ANN, { for: '1h' })
  expect([await short.charge(25), await long.charge(10)]).toEqual([true, true])
  const refused = await own.reserve(ANN, { cost: { api: 1, day: 5 }, ttl: '1m' })
  expect(refused.decision).toMatchObject({ allowed: false, policy: 'api', retryAfter: 3600 })
  await short.settle({ api: 1, day: 25 })
  await long.cancel()
  const { quota } = await new QuotaManager(store).checkQuota('ann', DAY)
  expect(quota).toMatchObject({ used: 25, held: 0 })
  await own.reset(ANN)
  await own.close()
})

it('a pause of one tenant stops a counter that all share, and shares go on where they were', async () => {
  const { clock, limiter } = world()
  const backend: RatePolicy = {
    name: 'backend',
    limit: 100,
    window: 1,
    burst: 40,
    keyStrategy: 'shared',
    fair: { by: 'user' },
  }
  const own = limiter(backend)
  for (let i = 0; i < 40; i++) await own.consume({ user: 'a' })
  await own.pause({ user: 'b' }, { for: '100ms' })
  for (const user of ['a', 'b', 'c'])
    expect(await own.consume({ user })).toMatchObject({ allowed: false, remaining: 0 })
  clock.advance(0.099)
  expect((await own.consume({ user: 'c' })).allowed).toBe(false)
  clock.advance(0.001)
  // Of the ten units that came back, none is for the tenant that has had forty.
  expect((await own.consume({ user: 'a' })).reason).toBe('fair-share')
  for (const user of ['b', 'c']) expect((await own.consume({ user })).allowed).toBe(true)
})

it('a pause outlives other numbers of an operator, who may let the client pass meanwhile', async () => {
  const own = world()
  const control = controlOf(own)
  const api = own.limiter(API, { control })
  await api.pause(ANN, { for: '1h' })
  await control.change('api', { limit: 1000 })
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
  await control.allow(ANN, { for: '1d' })
  expect(await api.consume(ANN)).toMatchObject({ allowed: true, reason: 'exempt' })
  await control.disallow(ANN)
  expect((await api.consume(ANN)).allowed).toBe(false)
  own.clock.advance('1h')
  expect(await api.consume(ANN)).toMatchObject({ allowed: true, limit: 1000, remaining: 999 })
})

it('a pause scores no violation by itself, and neither ends nor shortens under a penalty', async () => {
  const { clock, store, limiter } = world()
  const penalty = { threshold: 1, duration: '1d', multiplier: 0.5, decayRate: 0, cooldown: 0 } as const
  const api = limiter(API, { penalty })
  const penalties = new PenaltyManager({ store, config: penalty })
  await api.pause(ANN, { for: '1h' })
  expect(await penalties.getPenalty(ANN)).toMatchObject({ violations: 0 })
  await penalties.applyPenalty(ANN)
  clock.advance(3599)
  expect(await api.peek(ANN)).toMatchObject({ allowed: false, retryAfter: 1 })
  clock.advance(1)
  expect(await api.consume(ANN)).toMatchObject({ allowed: true, limit: 5 })
})

it('a pause stops no quota, and a request that it refuses is charged to none', async () => {
  const { clock, limiter, store } = world()
  const both = limiter([API, DAY])
  await both.pause(ANN, { for: '1h' })
  expect(await both.consume(ANN, { cost: 2 })).toMatchObject({ allowed: false, policy: 'api' })
  const alone = limiter(DAY)
  await alone.pause(ANN, { for: '1h' })
  expect(await alone.consume(ANN, { cost: 3 })).toMatchObject({ allowed: true, remaining: 97 })
  clock.advance('1h')
  expect((await both.consume(ANN)).allowed).toBe(true)
  expect((await new QuotaManager(store).checkQuota('ann', DAY)).quota).toMatchObject({ used: 4 })
})

it('a pause of a policy in shadow mode is reported, charges nothing and refuses nobody', async () => {
  const { clock, limiter } = world()
  const api = limiter({ ...API, mode: 'shadow' } as Policy)
  await api.pause(ANN, { for: '1h' })
  const decision = await api.consume(ANN)
  expect(decision.allowed).toBe(true)
  expect(decision.verdicts).toMatchObject([{ allowed: false, mode: 'shadow' }])
  clock.advance('1h')
  expect((await api.peek(ANN)).verdicts).toMatchObject([{ allowed: true, remaining: 10 }])
})

it('a repeated call passes in a pause and charges nothing, and a refused one leaves no key', async () => {
  const { limiter } = world()
  const api = limiter(API)
  await api.consume(ANN, { idempotencyKey: 'before' })
  await api.pause(ANN, { for: '1h' })
  expect((await api.consume(ANN, { idempotencyKey: 'during' })).allowed).toBe(false)
  expect(await api.consume(ANN, { idempotencyKey: 'before' })).toMatchObject({ allowed: true, cost: 0 })
  await api.reset(ANN)
  expect(await api.consume(ANN, { idempotencyKey: 'during' })).toMatchObject({ allowed: true, cost: 1 })
})

it.each(['token-bucket', 'fixed-window', 'sliding-window'] as const)(
  'settlements and refunds reach the counter of a client that is paused, and the pause stays: %s',
  async algorithm => {
    const { clock, limiter } = world()
    const api = limiter({ ...API, algorithm, window: '10d' } as Policy)
    const [more, less] = [await api.consume(ANN), await api.consume(ANN, { cost: 6 })]
    await api.pause(ANN, { for: '1h' })
    await api.settle(more, 3)
    await api.settle(less, 0)
    expect(await api.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
    clock.advance('1h')
    expect(await api.consume(ANN)).toMatchObject({ allowed: true, remaining: 6 })
  },
)

it('a guard with delay holds requests through a pause, in order, and refuses one that would wait too long', async () => {
  const own = passingWorld()
  const limiter = own.limiter(EVEN)
  const patient = guard(limiter, { delay: { maxWait: '3s' } })
  const passed: number[] = []
  const enter = async (i: number): Promise<void> => {
    if ((await patient.enter(view(), {})).pass) passed.push(i)
  }
  const held = [0, 1, 2].map(enter)
  await own.pass(50)
  await limiter.pause({ ip: view().ip! }, { for: '1s' })
  held.push(enter(3))
  await own.pass(950)
  expect(passed).toEqual([0])
  await own.pass(500)
  await Promise.all(held)
  expect(passed).toEqual([0, 1, 2, 3])
  await limiter.pause({ ip: view().ip! }, { for: '1h' })
  expect(await patient.enter(view(), {})).toMatchObject({ pass: false, status: 429 })
})

it('a request that is undecided when its client is paused is charged when it fails, and the pause stays', async () => {
  const { clock, limiter } = world()
  const logins: Policy = { name: 'logins', limit: 3, window: '1d', algorithm: 'fixed-window', inFlight: 1 }
  const own = limiter({ ...logins, keyStrategy: 'user' } as Policy)
  const failed = await own.consume(ANN)
  await own.pause(ANN, { for: '1h' })
  await own.conclude(failed, true)
  await own.release(failed)
  expect((await own.consume(ANN)).allowed).toBe(false)
  clock.advance('1h')
  expect((await own.peek(ANN)).verdicts[0]?.remaining).toBe(2)
  expect((await own.consume(ANN)).allowed).toBe(true)
})

it('a pause refuses every priority, and takes nothing of the share of the more important one', async () => {
  const { clock, limiter } = world()
  const [batch, urgent] = [limiter({ ...API, headroom: 0.5 } as Policy), limiter(API)]
  await batch.pause(ANN, { for: '1s' })
  for (const own of [batch, urgent]) expect((await own.consume(ANN)).retryAfter).toBe(1)
  clock.advance('1s')
  const reasons: string[] = []
  for (let i = 0; i < 6; i++) reasons.push((await batch.consume(ANN)).reason)
  expect(reasons).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'reserved'])
  expect((await urgent.consume(ANN, { cost: 5 })).allowed).toBe(true)
})

it('a reset ends a pause, so that callers start in order and the line ends', async () => {
  const own = passingWorld()
  const limiter = own.limiter(EVEN)
  const turns = [0, 1, 2, 3].map(name => own.acquire(limiter, 'x', name, { maxWait: '1h' }))
  await own.pass(50)
  await limiter.pause('x', { for: '10m' })
  await own.pass(500)
  expect(own.starts).toHaveLength(1)
  expect(await limiter.reset('x')).toBe(1)
  await own.pass(1_000)
  expect(own.starts.map(({ name }) => name)).toEqual([0, 1, 2, 3])
  await Promise.all(turns)
  await own.pass(3_000)
  expect((await limiter.explain('x')).policies[0]?.line).toBeUndefined()
  expect((await limiter.consume('x')).allowed).toBe(true)
})

it('a pause outlives a changed limit, window and burst, to its end', async () => {
  const { clock, limiter } = world()
  const registry = new PolicyRegistry([API as RatePolicy])
  const api = limiter(() => registry.get('api'))
  const consume = (): ReturnType<typeof api.consume> => api.consume(ANN, { policy: registry.get('api') })
  await consume()
  await api.pause(ANN, { for: '1h', policy: registry.get('api') })
  for (const numbers of [{ limit: 100 }, { limit: 5 }, { window: '1s' as const }, { burst: 2000 }]) {
    registry.update('api', numbers)
    expect((await consume()).allowed).toBe(false)
  }
  clock.advance(3599)
  expect(await consume()).toMatchObject({ allowed: false, retryAfter: 1 })
  clock.advance(1)
  expect((await consume()).allowed).toBe(true)
})

it('a pause that the process knows holds while the store is away, and a new one rejects', async () => {
  const own = world()
  const store = fakeOutage(own.store)
  const api = own.limiter(API, { store })
  await api.consume(ANN)
  store.begin('refused')
  expect(await api.consume(ANN)).toMatchObject({ allowed: true, degraded: 'local' })
  store.end()
  await api.pause(ANN, { for: '1h' })
  store.begin('refused')
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, degraded: 'local', retryAfter: 3600 })
  expect((await api.consume({ user: 'bob' })).allowed).toBe(true)
  expect((await rejection(api.pause({ user: 'bob' }, { for: '1h' }))).code).toBe('HALT_E_STORE')
  store.end()
  expect((await own.limiter(API).consume({ user: 'bob' })).allowed).toBe(true)
  expect(await own.limiter(API).consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
})

it('close() sends callers of a paused line away at once, and the pause holds for the limiter that follows', async () => {
  const own = passingWorld()
  const limiter = own.limiter(EVEN)
  const turns = [0, 1, 2].map(name => own.acquire(limiter, 'x', name, { maxWait: '1h' }))
  const ends = Promise.allSettled(turns)
  await own.pass(50)
  await limiter.pause('x', { for: '2s' })
  await limiter.close()
  expect((await ends).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  const next = own.limiter(EVEN)
  expect((await next.consume('x')).allowed).toBe(false)
  await own.pass(2_060)
  expect((await next.consume('x')).allowed).toBe(true)
})

it('a pause shortens no longer cool-down of another version, and prolongs a shorter one', async () => {
  const { clock, limiter } = world()
  const blocking = limiter({ ...API, blockDuration: '10m' } as Policy)
  const api = limiter(API)
  await blocking.consume(ANN, { cost: 10 })
  await blocking.consume(ANN)
  await api.pause(ANN, { for: '1m' })
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 600 })
  await api.pause(ANN, { for: '1h' })
  expect(await api.consume(ANN)).toMatchObject({ allowed: false, retryAfter: 3600 })
  clock.advance('1h')
  expect((await api.consume(ANN)).allowed).toBe(true)
})
