// The shares of a budget that are used, however they come to be used, are told of once, over several processes.
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import type { Quota, QuotaUsage, RateLimiter, Reservation, Telemetry } from '../../src/index.ts'
import { QuotaManager } from '../../src/index.ts'
import type { FakeOutage } from '../../src/testing/index.ts'
import { endTime, loadCore, newTime, ORIGIN, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'
import { answering } from '../waiting/answering.ts'
import { world } from '../world.ts'

const SHARES = [0.5, 0.8, 1] as const
const quota: Quota = {
  name: 'budget',
  limit: 100,
  period: 'hourly',
  // The first period ends after 40 s.
  anchor: new Date(ORIGIN + 40_000),
  thresholds: SHARES,
}
const alice = { user: '42' }

/** A telemetry that notes the shares that it is told of. */
function noting(): { told: [number, number][]; telemetry: Telemetry } {
  const told: [number, number][] = []
  return { told, telemetry: { onQuotaThreshold: (_key, { used }, share) => told.push([share, used]) } }
}

describe('a share of a quota', () => {
  it('a share is told of when a settlement crosses it, and when an end of a hold does', async () => {
    const { told, telemetry } = noting()
    const limiter = world().limiter(quota, { telemetry })
    const charged = await limiter.reserve(alice, { cost: 10 })
    await charged.settle(55)
    const held = await limiter.reserve(alice, { cost: 30, ttl: '1m' })
    expect(told).toEqual([[0.5, 55]])
    await held.settle(30)
    expect(told).toEqual([
      [0.5, 55],
      [0.8, 85],
    ])
  })

  it('a share is not told of for units that are held, nor at 0 used', async () => {
    const { told, telemetry } = noting()
    const { limiter, store } = world()
    const own = limiter(quota, { telemetry })
    await own.reserve(alice, { cost: 100, ttl: '1m' })
    await own.consume(alice)
    await new QuotaManager(store, { telemetry }).consumeQuota('42', quota)
    expect(told).toEqual([])
  })

  it('a share is told of once though units are given back and used again, by whatever process', async () => {
    const { told, telemetry } = noting()
    const { limiter } = world()
    const processes = [limiter(quota, { telemetry }), limiter(quota, { telemetry })]
    for (let i = 0; i < 6; i++) {
      const call = await processes[i % 2]!.reserve(alice, { cost: 60 })
      await call.cancel()
    }
    expect(told).toEqual([[0.5, 60]])
  })

  it('a share of a limit with a grant is told of by itself, and a share after a reset is too', async () => {
    const { told, telemetry } = noting()
    const { limiter, store } = world()
    const own = limiter(quota, { telemetry })
    const quotas = new QuotaManager(store)
    await own.consume(alice, { cost: 60 })
    await quotas.grantQuota('42', quota, 100)
    await own.consume(alice, { cost: 45 })
    await quotas.resetQuota('42', quota)
    await own.consume(alice, { cost: 100 })
    expect(told).toEqual([
      [0.5, 60],
      [0.5, 105],
      [0.5, 100],
    ])
  })
})

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

type Op =
  | { do: 'consume'; at: number; units: number }
  | { do: 'reserve'; at: number; units: number; ttl: string | undefined }
  | { do: 'charge' | 'settle'; which: number; units: number }
  | { do: 'manage'; units: number }
  | { do: 'grant'; units: number }
  | { do: 'reset' }
  | { do: 'fail'; at: number }
  | { do: 'pass'; ms: number }

const at = fc.nat({ max: 2 })
const which = fc.nat({ max: 20 })
const units = fc.nat({ max: 40 })
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('consume' as const), at, units }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      at,
      units,
      ttl: fc.constantFrom(undefined, '2s', '30s'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('charge' as const), which, units }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('settle' as const), which, units }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('manage' as const), units }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('grant' as const), units }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), at }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(100, 1500, 9000, 30_000) }),
  },
)

async function play(time: VirtualTime, ops: readonly Op[]): Promise<void> {
  const inner = new core.ReferenceStore(() => time.unixMs())
  const told: string[] = []
  let resets = 0
  const nameOf = ({ resetAt, limit, granted }: QuotaUsage, share: number): string =>
    `${resets} ${resetAt} ${limit + granted} ${share}`
  const telemetry: Telemetry = {
    onQuotaThreshold(_key, usage, share) {
      expect(usage.used).toBeGreaterThanOrEqual(share * (usage.limit + usage.granted))
      told.push(nameOf(usage, share))
    },
  }
  const processes = [0, 1, 2].map(() => {
    const store = core.fakeOutage(answering(inner, 0))
    const options = { store, policy: quota, warn: () => {}, telemetry, storeTimeout: '100ms' } as const
    return { store, limiter: new core.RateLimiter({ ...options, instances: 3 }) }
  })
  const manager = new core.QuotaManager(answering(inner, 0), { telemetry })
  const quiet = new core.QuotaManager(inner)
  const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
  const soon = async <T>(promise: Promise<T>): Promise<T> => (await Promise.all([promise, pass(0)]))[0]
  const read = async (): Promise<QuotaUsage> => (await soon(quiet.checkQuota('42', quota))).quota
  const calls: Reservation[] = []
  /** The shares that were crossed, which the next crossing does not tell again. */
  const crossed = new Set<string>()
  let before = await read()
  const step = async (each: Op): Promise<unknown> => {
    const process = processes['at' in each ? each.at : 0] as { store: FakeOutage; limiter: RateLimiter }
    const call = 'which' in each ? calls[each.which % Math.max(1, calls.length)] : undefined
    switch (each.do) {
      case 'consume':
        return process.limiter.consume(alice, { cost: each.units })
      case 'reserve': {
        const opened = await process.limiter.reserve(alice, { cost: each.units, ttl: each.ttl })
        return opened.decision.allowed && calls.push(opened)
      }
      case 'charge':
        return call?.charge(each.units)
      case 'settle':
        if (call !== undefined) calls.splice(calls.indexOf(call), 1)
        return call?.settle(each.units)
      case 'manage':
        return manager.consumeQuota('42', quota, { cost: each.units })
      case 'grant':
        return quiet.grantQuota('42', quota, each.units)
      case 'reset':
        resets++
        return quiet.resetQuota('42', quota)
      case 'fail': {
        // An outage in which units are used, and written back after it.
        process.store.begin('refused')
        await process.limiter.consume(alice, { cost: 15 })
        process.store.end()
        await pass(2000)
        await process.limiter.peek(alice)
        return pass(1000)
      }
      case 'pass':
        return pass(each.ms)
    }
  }
  for (const each of ops) {
    await (each.do === 'fail' || each.do === 'pass' ? step(each) : soon(step(each)))
    await pass(0)
    const now = await read()
    const isSame = now.resetAt === before.resetAt && each.do !== 'reset'
    const [last, whole] = [isSame ? before.used : 0, now.limit + now.granted]
    const newly = SHARES.filter(share => last < share * whole && now.used >= share * whole)
    const highest = newly.at(-1)
    // A grant moves the shares, and crosses none.
    if (highest !== undefined && each.do !== 'grant' && !crossed.has(nameOf(now, highest)))
      expect(told).toContain(nameOf(now, highest))
    for (const share of newly) crossed.add(nameOf(now, share))
    for (const name of told) expect([...crossed]).toContain(name)
    before = now
  }
  expect(told).toHaveLength(new Set(told).size)
  await Promise.all([...processes.map(({ limiter }) => limiter.close()), pass(1000)])
}

it('each share is told of exactly once, in random histories of three processes', async () => {
  const history = fc.array(op, { minLength: 5, maxLength: 50 })
  const run = async (ops: readonly Op[]): Promise<void> => {
    try {
      await play(newTime(ORIGIN), ops)
    } finally {
      endTime()
    }
  }
  await fc.assert(fc.asyncProperty(history, run), { numRuns: Number(process.env['RUNS'] ?? 30) })
})
