// Policies of different speed that one caller passes, as 10 per second and 60 per minute, beside what else a limiter does. README.md
// lists the pairs. `packages/control/test/pairs/several-buckets.test.ts` has those of callers that wait.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import {
  PenaltyManager,
  type Quota,
  QuotaManager,
  type RateLimiter,
  type RatePolicy,
} from '../../src/index.ts'
import { fakeOutage } from '../../src/testing/index.ts'
import { processes } from '../lease/processes.ts'
import { world } from '../world.ts'

const ANN = { user: 'ann' } as const
const SECOND: RatePolicy = { name: 'second', limit: 10, window: '1s', keyStrategy: 'user' }
const MINUTE: RatePolicy = { name: 'minute', limit: 60, window: '1m', keyStrategy: 'user' }
const BOTH: readonly RatePolicy[] = [SECOND, MINUTE]
const DAY: Quota = { name: 'day', limit: 100, period: 'daily' }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => void vi.useRealTimers())

const left = async (limiter: RateLimiter): Promise<number[]> =>
  (await limiter.peek(ANN)).verdicts.map(({ remaining }) => remaining)

it('a call holds a budget beside two buckets, and gives back to all three what it did not use', async () => {
  const { limiter, store } = world()
  const own = limiter([...BOTH, DAY])
  const calls = []
  for (const ttl of ['1s', '30s', '10m'] as const)
    calls.push(await own.reserve(ANN, { cost: { second: 2, minute: 2, day: 20 }, ttl }))
  expect(await left(own)).toEqual([4, 54, 40])
  const refused = await own.reserve(ANN, { cost: { second: 5, minute: 5, day: 20 }, ttl: '1m' })
  expect(refused.decision).toMatchObject({ allowed: false, policy: 'second' })
  await calls[1]!.cancel()
  expect(await left(own)).toEqual([6, 56, 60])
  expect(await calls[0]!.charge(25)).toBe(true)
  await calls[0]!.settle({ second: 1, minute: 1, day: 25 })
  await calls[2]!.settle({ second: 2, minute: 2, day: 5 })
  expect(await left(own)).toEqual([7, 57, 70])
  expect((await new QuotaManager(store).checkQuota('ann', DAY)).quota).toMatchObject({ used: 30, held: 0 })
  await own.close()
})

it('a tenant that has no turn in a shared bucket is charged in none of its own two', async () => {
  const { clock, limiter } = world()
  const pool: RatePolicy = {
    name: 'pool',
    limit: 100,
    window: 1,
    burst: 40,
    keyStrategy: 'shared',
    fair: { by: 'user' },
  }
  const own = limiter([pool, { ...SECOND, limit: 50 }, { ...MINUTE, limit: 300 }])
  for (let i = 0; i < 40; i++) await own.consume(ANN)
  clock.advance(0.1)
  const before = await left(own)
  expect(await own.consume(ANN)).toMatchObject({ allowed: false, reason: 'fair-share' })
  expect(await left(own)).toEqual(before)
  expect((await own.consume({ user: 'bob' })).allowed).toBe(true)
  // Bob's own fast bucket refuses him, and nothing of the pool is taken for it.
  clock.advance('1s')
  expect(await own.consume({ user: 'bob' }, { cost: { pool: 1, second: 51, minute: 1 } })).toMatchObject({
    reason: 'cost-exceeds-limit',
  })
  expect((await own.peek({ user: 'bob' })).verdicts[0]!.remaining).toBe(40)
})

it('a leased bucket beside a slower exact one is charged in both, and exceeds neither', async () => {
  const fast: RatePolicy = {
    name: 'fast',
    limit: 200,
    window: '1s',
    keyStrategy: 'shared',
    lease: { share: 0.2, idle: '50ms' },
  }
  const slow: RatePolicy = { name: 'slow', limit: 100, window: '10m', keyStrategy: 'shared' }
  const hot = processes(1, [fast, slow])
  for (let i = 0; i < 150; i++) {
    void hot.use(0, 1)
    await hot.pass(1)
  }
  expect(hot.uses.filter(({ allowed }) => allowed)).toHaveLength(100)
  await hot.limiters[0]!.close()
  await hot.pass(1_000)
  // What the slow bucket refused was put back.
  expect((await hot.limiter([fast, slow]).peek('s')).verdicts.map(({ remaining }) => remaining)).toEqual([
    200, 0,
  ])
})

it('a penalty halves both buckets, and a refusal by the one is scored once', async () => {
  const { store, limiter } = world()
  const penalty = { threshold: 5, duration: '1h', multiplier: 0.5, decayRate: 0, cooldown: 0 } as const
  const own = limiter([...BOTH], { penalty })
  const penalties = new PenaltyManager({ store, config: penalty })
  for (let i = 0; i < 11; i++) await own.consume(ANN)
  expect(await penalties.getPenalty(ANN)).toMatchObject({ violations: 1 })
  await penalties.applyPenalty(ANN)
  expect((await own.peek(ANN)).verdicts.map(({ limit }) => limit)).toEqual([5, 30])
})

it('a quota beside two buckets is charged where both pass, and none of the three where one refuses', async () => {
  const { clock, limiter } = world()
  const own = limiter([...BOTH, { ...DAY, limit: 12 }])
  for (let i = 0; i < 10; i++) await own.consume(ANN)
  expect(await own.consume(ANN)).toMatchObject({ allowed: false, policy: 'second' })
  expect(await left(own)).toEqual([0, 50, 2])
  clock.advance('1s')
  for (let i = 0; i < 2; i++) await own.consume(ANN)
  expect(await own.consume(ANN)).toMatchObject({ allowed: false, reason: 'quota-exceeded', policy: 'day' })
  expect(await left(own)).toEqual([8, 49, 0])
})

it('a repeated call is charged once in both of two buckets, and passes where the fast one is empty', async () => {
  const { limiter } = world()
  const own = limiter([...BOTH])
  const once = { idempotencyKey: 'order-1', cost: 4 }
  expect(await own.consume(ANN, once)).toMatchObject({ allowed: true, cost: 4 })
  expect(await own.consume(ANN, once)).toMatchObject({ allowed: true, cost: 0 })
  expect(await left(own)).toEqual([6, 56])
  for (let i = 0; i < 6; i++) await own.consume(ANN)
  // A refused call leaves no record in the bucket that would have passed it.
  expect((await own.consume(ANN, { idempotencyKey: 'order-2' })).allowed).toBe(false)
  expect(await own.consume(ANN, once)).toMatchObject({ allowed: true, cost: 0 })
  expect(await left(own)).toEqual([0, 50])
})

it('a request that is undecided in one of two buckets is charged there when it fails, and in the other at once', async () => {
  const { limiter } = world()
  const logins = { ...MINUTE, name: 'logins', limit: 5, inFlight: 2 } as RatePolicy
  const own = limiter([SECOND, logins])
  const [good, bad] = [await own.consume(ANN), await own.consume(ANN)]
  expect(await own.consume(ANN)).toMatchObject({ allowed: false, policy: 'logins' })
  expect((await left(own))[0]).toBe(8)
  await own.conclude(good, false)
  await own.conclude(bad, true)
  expect(await left(own)).toEqual([9, 4])
})

it('a request leaves headroom of the slow bucket, and takes nothing of the fast one when it is refused for it', async () => {
  const { clock, limiter } = world()
  const batch = limiter([SECOND, { ...MINUTE, limit: 8, headroom: 0.5 }])
  const urgent = limiter([SECOND, { ...MINUTE, limit: 8 }])
  for (let i = 0; i < 4; i++) expect((await batch.consume(ANN)).allowed).toBe(true)
  const refused = await batch.consume(ANN)
  expect(refused).toMatchObject({ reason: 'reserved', policy: 'minute', retryAfterMs: 7_500 })
  expect(await left(urgent)).toEqual([6, 4])
  clock.advance(7.5)
  expect((await batch.consume(ANN)).allowed).toBe(true)
  expect((await urgent.consume(ANN, { cost: 4 })).allowed).toBe(true)
})

it('each of two buckets has its share while the store is away, and neither lets more pass than it', async () => {
  const own = world()
  const store = fakeOutage(own.store)
  const limiter = own.limiter([...BOTH], { store, instances: 2 })
  expect(await limiter.consume(ANN)).toMatchObject({ allowed: true, degraded: false })
  store.begin('refused')
  let admitted = 0
  while ((await limiter.consume(ANN)).allowed) admitted++
  expect(admitted).toBeGreaterThanOrEqual(4)
  expect(admitted).toBeLessThanOrEqual(5)
  expect(await limiter.consume(ANN)).toMatchObject({ degraded: 'local', policy: 'second' })
  store.end()
  // Rates are not told to the store afterwards.
  expect(await left(own.limiter([...BOTH]))).toEqual([9, 59])
})

it('a cool-down of another plan in one of two buckets refuses the caller, and charges the other nothing', async () => {
  const { clock, limiter } = world()
  const own = limiter([...BOTH])
  const other = limiter({ ...MINUTE, limit: 5, blockDuration: '10m' })
  const spent = await other.consume(ANN, { cost: 5 })
  await other.consume(ANN)
  await other.settle(spent, 0)
  for (let i = 0; i < 3; i++)
    expect(await own.consume(ANN)).toMatchObject({ allowed: false, policy: 'minute', retryAfter: 600 })
  expect((await left(own))[0]).toBe(10)
  expect((await limiter(SECOND).consume(ANN)).allowed).toBe(true)
  clock.advance('10m')
  expect((await own.consume(ANN)).allowed).toBe(true)
  expect(await left(own)).toEqual([9, 59])
})
