// Calls that hold units for many lengths of time, in several processes of which some die: no unit is held for nobody, and each owner finds
// its own.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { Quota, RateLimiter, Reservation } from '../../src/index.ts'
import type { FakeOutage } from '../../src/testing/index.ts'
import { endTime, loadCore, newTime, ORIGIN, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'

const LIMIT = 100_000
const HOUR = 3_600_000
// The first period ends after 40 s, the others after an hour.
const quota: Quota = { name: 'budget', limit: LIMIT, period: 'hourly', anchor: new Date(ORIGIN + 40_000) }
const alice = { user: '42' }
const LENGTHS = [1, 1.2, 1.7, 2, 3, 4, 5, 7, 9, 11, 14, 20, 33, 60, 600] as const

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

type Op =
  | { do: 'reserve'; at: number; cost: number; ttl: number }
  | { do: 'charge' | 'settle'; which: number; part: number }
  | { do: 'cancel'; which: number }
  | { do: 'die'; at: number }
  | { do: 'pass'; ms: number }

const at = fc.nat({ max: 2 })
const which = fc.nat({ max: 60 })
const part = fc.nat({ max: 10 })
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 16,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      at,
      cost: fc.integer({ min: 1, max: 4000 }),
      ttl: fc.constantFrom(...LENGTHS),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('charge' as const), which, part }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const), which, part }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), at }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 90, 150, 400, 700, 1100, 3000, 25_000),
    }),
  },
)

interface Open {
  readonly call: Reservation
  readonly process: object
  readonly estimate: number
  readonly ttl: number
  used: number
  /** The hour in which the units were held first. */
  readonly hour: number
  /** When its process died, in milliseconds. */
  died: number | undefined
}

/** Plays a history, and compares the counter with a book of single calls after each step. */
async function play(time: VirtualTime, ops: readonly Op[]): Promise<void> {
  const inner = new core.ReferenceStore(() => time.unixMs())
  const begin = (): { store: FakeOutage; limiter: RateLimiter } => {
    const store = core.fakeOutage(inner)
    return { store, limiter: new core.RateLimiter({ store, policy: quota, warn: () => {} }) }
  }
  const processes = [begin(), begin(), begin()]
  const quotas = new core.QuotaManager(inner)
  const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
  const soon = async <T>(promise: Promise<T>): Promise<T> => (await Promise.all([promise, pass(0)]))[0]
  const hour = (): number => Math.floor((time.unixMs() - ORIGIN - 40_000) / HOUR)
  const used = new Map<number, number>()
  const calls: Open[] = []
  const living = (): Open[] => calls.filter(({ died }) => died === undefined)
  const pick = (index: number): Open | undefined => living()[index % Math.max(1, living().length)]
  const use = (units: number): void => void used.set(hour(), (used.get(hour()) ?? 0) + units)
  const check = async (): Promise<void> => {
    const { quota: found } = await soon(quotas.checkQuota('42', quota))
    let least = 0
    let most = 0
    for (const { estimate, used: own, ttl, died, hour: since } of calls) {
      const rest = Math.max(0, estimate - own)
      if (died === undefined && since === hour()) least += rest
      if (died === undefined || time.unixMs() < died + ttl * 1250) most += rest
    }
    expect(found.used).toBe(used.get(hour()) ?? 0)
    expect(found.held).toBeGreaterThanOrEqual(least)
    expect(found.held).toBeLessThanOrEqual(most)
    expect(found.used + found.held).toBeLessThanOrEqual(LIMIT)
  }
  for (const each of ops) {
    const process = processes['at' in each ? each.at : 0] as (typeof processes)[number]
    const open = 'which' in each ? pick(each.which) : undefined
    switch (each.do) {
      case 'reserve': {
        const { cost, ttl } = each
        const call = await soon(process.limiter.reserve(alice, { cost, ttl: ttl * 1000 + 'ms', chunk: 1 }))
        if (call.decision.allowed)
          calls.push({ call, process, estimate: cost, ttl, used: 0, hour: hour(), died: undefined })
        break
      }
      case 'charge': {
        if (open === undefined) break
        const more = Math.floor(((open.estimate - open.used) * each.part) / 10)
        const isPaid = await soon(open.call.charge(more))
        if (open.hour === hour()) expect(isPaid).toBe(true)
        if (isPaid) {
          open.used += more
          use(more)
        }
        break
      }
      case 'settle':
      case 'cancel': {
        if (open === undefined) break
        calls.splice(calls.indexOf(open), 1)
        // A call that has used units settles them, because they may be of an hour that is over.
        const rest = each.do === 'settle' ? Math.floor(((open.estimate - open.used) * each.part) / 10) : 0
        if (open.used + rest > 0) await soon(open.call.settle(open.used + rest))
        else await soon(open.call.cancel())
        use(rest)
        break
      }
      case 'die':
        process.store.begin('hanging')
        for (const call of calls) if (call.process === process) call.died ??= time.unixMs()
        processes[each.at] = begin()
        break
      case 'pass':
        await pass(each.ms)
    }
    await check()
  }
  for (const { call, used: own } of living()) await soon(own > 0 ? call.settle(own) : call.cancel())
  for (let i = calls.length - 1; i >= 0; i--) if (calls[i]?.died === undefined) calls.splice(i, 1)
  await check()
  await Promise.all([...processes.map(({ limiter }) => limiter.close()), pass(1000)])
}

it('units held for many lengths of time are held for their calls alone, and no longer than a quarter more for those of a dead process', async () => {
  const history = fc.array(op, { minLength: 40, maxLength: 110 })
  const run = async (ops: readonly Op[]): Promise<void> => {
    try {
      await play(newTime(ORIGIN), ops)
    } finally {
      endTime()
    }
  }
  await fc.assert(fc.asyncProperty(history, run), { numRuns: Number(process.env['RUNS'] ?? 20) })
})

it('units of many lengths are held again after an outage that was longer than some, and are settled once', async () => {
  const time = newTime(ORIGIN)
  try {
    const inner = new core.ReferenceStore(() => time.unixMs())
    const store = core.fakeOutage(inner)
    const limiter = new core.RateLimiter({ store, policy: quota, onStoreError: 'closed', warn: () => {} })
    const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
    const soon = async <T>(promise: Promise<T>): Promise<T> => (await Promise.all([promise, pass(0)]))[0]
    const read = async (): Promise<number[]> => {
      const { used, held } = (await soon(new core.QuotaManager(inner).checkQuota('42', quota))).quota
      return [used, held]
    }
    const calls = await Promise.all(
      LENGTHS.map(async ttl => soon(limiter.reserve(alice, { cost: 10, ttl: ttl * 1000 + 'ms' }))),
    )
    const all = 10 * LENGTHS.length
    store.begin('refused')
    await pass(5_100)
    expect(await soon(calls[0]!.charge(1))).toBe(false)
    // Those of 1 s to 4 s are over, at most a quarter later.
    const [, held = 0] = await read()
    expect(held).toBeGreaterThanOrEqual(80)
    expect(held).toBeLessThanOrEqual(all - 60)
    store.end()
    await pass(3_000)
    expect(await read()).toEqual([0, all])
    for (const { signal, charge, settle } of calls) {
      expect([signal.aborted, await soon(charge(10))]).toEqual([false, true])
      await soon(settle(9))
    }
    expect(await read()).toEqual([9 * LENGTHS.length, 0])
    await Promise.all([limiter.close(), pass(1000)])
  } finally {
    endTime()
  }
})
