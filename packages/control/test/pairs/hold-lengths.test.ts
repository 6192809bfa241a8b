// Calls that hold units of one quota for many lengths of time, beside what else a limiter does. README.md lists the pairs.
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'

import {
  type Quota,
  QuotaManager,
  type QuotaStatus,
  type RateLimiter,
  type RatePolicy,
  type Reservation,
} from '@halt/core'
import { processes, warm } from '../../../core/test/lease/processes.ts'
import { passingWorld } from '../../../core/test/waiting/passing-world.ts'
import { type World, world } from '../../../core/test/world.ts'
import { Control } from '../../src/index.ts'

const ANN = { user: 'ann' } as const
const DAY: Quota = { name: 'day', limit: 100, period: 'daily' }
const LENGTHS = ['1s', '1.7s', '3s', '11s', '1m', '10m'] as const

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => void vi.useRealTimers())

/** One call of each length, which holds 10 units. */
async function calls(limiter: RateLimiter, policy?: Quota): Promise<Reservation[]> {
  const all: Reservation[] = []
  for (const ttl of LENGTHS)
    all.push(await limiter.reserve(ANN, { cost: 10, ttl, ...(policy && { policy }) }))
  expect(all.every(({ decision }) => decision.allowed)).toBe(true)
  return all
}

const quotaOf = async ({ store }: Pick<World, 'store'>, quota = DAY): Promise<QuotaStatus> =>
  (await new QuotaManager(store).checkQuota('ann', quota)).quota

it('a tenant without a turn in a shared bucket holds nothing, and its calls of other lengths keep what they hold', async () => {
  const own = world()
  const pool: RatePolicy = {
    name: 'pool',
    limit: 100,
    window: 1,
    burst: 40,
    keyStrategy: 'shared',
    fair: { by: 'user' },
  }
  const limiter = own.limiter([pool, DAY])
  const open = []
  for (const ttl of LENGTHS) open.push(await limiter.reserve(ANN, { cost: { pool: 6, day: 10 }, ttl }))
  for (let i = 0; i < 4; i++) await limiter.consume(ANN, { cost: { pool: 1, day: 0 } })
  own.clock.advance(0.1)
  const refused = await limiter.reserve(ANN, { cost: { pool: 2, day: 10 }, ttl: '7s' })
  expect(refused.decision.reason).toBe('fair-share')
  expect(await quotaOf(own)).toMatchObject({ used: 0, held: 60 })
  for (const call of open) await call.settle({ pool: 6, day: 1 })
  expect(await quotaOf(own)).toMatchObject({ used: 6, held: 0 })
  await limiter.close()
})

it('a caller that waits for a quota starts when enough of several lengths of a process that died is free', async () => {
  const own = passingWorld()
  const dead = own.limiter(DAY)
  await calls(dead)
  await dead.close()
  const turn = own.acquire(own.limiter(DAY), ANN, 'a', { cost: 60, maxWait: '1m' })
  await own.pass(1_690)
  expect(own.starts).toEqual([])
  // 40 are left, and the units of 1 s and of 1.7 s make 60. Each is held for at most an eighth longer.
  await own.pass(450)
  await turn
  expect(own.starts).toHaveLength(1)
  expect(own.starts[0]!.at).toBeGreaterThanOrEqual(1_700)
})

it('calls of several lengths hold units of a leased quota, and all processes together stay within it', async () => {
  const quota = { ...DAY, limit: 200, keyStrategy: 'shared', lease: { share: 0.1, idle: '100ms' } } as Quota
  const hot = processes(2, quota)
  await warm(hot)
  const open: Reservation[] = []
  for (const ttl of LENGTHS) open.push(await hot.limiters[0]!.reserve({ user: 's' }, { cost: 5, ttl }))
  for (let i = 0; i < 100; i++) {
    for (const process of [0, 1]) void hot.use(process, 1)
    await hot.pass(10)
  }
  // The calls hold 30 of 200 units.
  expect(hot.uses.filter(({ allowed }) => allowed)).toHaveLength(170)
  for (const call of open) await call.settle(5)
  const { quota: found } = await new QuotaManager(hot.store).checkQuota('s', quota)
  expect(found).toMatchObject({ used: 200, held: 0 })
})

it('an operator lowers a quota below what calls of several lengths hold, and each pays from its own and gets nothing beyond', async () => {
  const own = world()
  vi.setSystemTime(own.clock.now())
  const control = new Control({ store: own.store, warn: () => undefined })
  onTestFinished(() => control.close())
  const limiter = own.limiter(DAY, { control })
  const open = await calls(limiter)
  await control.change('day', { limit: 30 })
  for (const call of open) expect([await call.charge(10), await call.charge(1)]).toEqual([true, false])
  await control.revert('day')
  for (const call of open) expect(await call.charge(1)).toBe(true)
  for (const call of open) await call.settle(11)
  expect(await quotaOf(own)).toMatchObject({ used: 66, held: 0, remaining: 34 })
})

it('a deploy changes a quota under calls of several lengths, which keep what they hold and take nothing more', async () => {
  const own = world()
  let policy = DAY
  const limiter = own.limiter(() => policy)
  const open = await calls(limiter, policy)
  policy = { ...DAY, limit: 20 }
  expect((await limiter.reserve(ANN, { cost: 1, ttl: '5s', policy })).decision.allowed).toBe(false)
  await open[0]!.cancel()
  await open[5]!.settle(10)
  expect(await quotaOf(own, policy)).toMatchObject({ used: 10, held: 40, remaining: 0 })
  policy = { ...DAY, limit: 61 }
  expect((await limiter.reserve(ANN, { cost: 12, ttl: '5s', policy })).decision.allowed).toBe(false)
  expect((await limiter.reserve(ANN, { cost: 11, ttl: '5s', policy })).decision.allowed).toBe(true)
  for (const call of open.slice(1, 5)) await call.settle(10)
  expect(await quotaOf(own, policy)).toMatchObject({ used: 50, held: 11 })
  await limiter.close()
})

it('a grant is used beside calls of several lengths, stays when they end, and is over with its period', async () => {
  const own = world()
  const limiter = own.limiter(DAY)
  const quotas = new QuotaManager(own.store)
  const open = await calls(limiter)
  await quotas.grantQuota('ann', DAY, 50)
  expect(await quotaOf(own)).toMatchObject({ held: 60, remaining: 90 })
  const large = await limiter.reserve(ANN, { cost: 90, ttl: '7s' })
  expect(large.decision.allowed).toBe(true)
  expect((await limiter.consume(ANN)).allowed).toBe(false)
  for (const call of open) await call.cancel()
  expect(await quotaOf(own)).toMatchObject({ used: 0, held: 90, remaining: 60 })
  await large.settle(140)
  expect(await quotaOf(own)).toMatchObject({ used: 140, held: 0, remaining: 10 })
  own.clock.advance('1d')
  expect(await quotaOf(own)).toMatchObject({ used: 0, remaining: 100 })
})

it('calls of several lengths are settled in the period in which they end, and hold nothing of the next one afterwards', async () => {
  const own = passingWorld()
  const hourly: Quota = { ...DAY, name: 'hour', period: 'hourly' }
  own.clock.advance(3_599.7)
  const limiter = own.limiter(hourly)
  const open = await calls(limiter)
  for (const call of open.slice(0, 3)) await call.settle(10)
  expect(await quotaOf(own, hourly)).toMatchObject({ used: 30, held: 30 })
  await own.pass(600)
  const { used, held } = await quotaOf(own, hourly)
  expect(used).toBe(0)
  expect(held).toBeLessThanOrEqual(30)
  for (const call of open.slice(3)) await call.settle(10)
  expect(await quotaOf(own, hourly)).toMatchObject({ used: 30, held: 0, remaining: 70 })
  await limiter.close()
})

it('calls of several lengths hold nothing of a quota in shadow mode that would refuse, and settle to those that it counts', async () => {
  const own = world()
  const limiter = own.limiter({ ...DAY, limit: 35, mode: 'shadow' })
  const open = await calls(limiter)
  expect(await quotaOf(own, { ...DAY, limit: 35 })).toMatchObject({ used: 0, held: 30 })
  for (const call of open) await call.settle(10)
  expect(await quotaOf(own, { ...DAY, limit: 35 })).toMatchObject({ used: 30, held: 0 })
  await limiter.close()
})

it('a reset of a quota leaves calls of several lengths what they hold, and each is settled to it once', async () => {
  const own = world()
  const limiter = own.limiter(DAY)
  const quotas = new QuotaManager(own.store)
  const open = await calls(limiter)
  for (const call of open) expect(await call.charge(4)).toBe(true)
  await quotas.resetQuota('ann', DAY)
  expect(await quotaOf(own)).toMatchObject({ used: 0, held: 36, remaining: 64 })
  for (const [i, call] of open.entries()) await (i % 2 === 0 ? call.settle(10) : call.cancel())
  // What was paid before the reset is forgiven.
  expect(await quotaOf(own)).toMatchObject({ used: 18, held: 0 })
  expect((await limiter.consume(ANN, { cost: 82 })).allowed).toBe(true)
  await limiter.close()
})

it('units of several lengths are free when each time is over once their limiter has closed, at most a quarter later', async () => {
  const own = world()
  const limiter = own.limiter(DAY)
  const open = await calls(limiter)
  expect(await open[3]!.charge(4)).toBe(true)
  await limiter.close()
  const seconds = [1, 1.7, 3, 11, 60, 600]
  const [began, units] = [own.clock.now(), [10, 10, 10, 6, 10, 10]]
  const at = (s: number): void => own.clock.advance(s - (own.clock.now() - began) / 1000)
  for (const [i, length] of seconds.entries()) {
    at(length - 0.001)
    const rest = units.slice(i).reduce((sum, each) => sum + each, 0)
    expect((await quotaOf(own)).held).toBeGreaterThanOrEqual(rest)
    at(length * 1.25)
    expect((await quotaOf(own)).held).toBe(rest - units[i]!)
  }
  expect(await quotaOf(own)).toMatchObject({ used: 4, held: 0 })
})
