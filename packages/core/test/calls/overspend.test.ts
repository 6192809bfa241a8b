// Streams of several processes, whose network loses questions and answers, and some of which die: a budget that is closed while the store
// is away has paid for every unit before it was used, and is never passed.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { Quota, RateLimiter, Reservation } from '../../src/index.ts'
import type { FakeOutage, OutageKind } from '../../src/testing/index.ts'
import { endTime, loadCore, newTime, ORIGIN, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'
import { answering } from '../waiting/answering.ts'

// What is decided without the store goes by the time since the process began.
const BEGAN = ORIGIN
const LIMIT = 1000
const day: Quota = { name: 'day', limit: LIMIT, period: 'daily', anchor: new Date(BEGAN - 60_000) }
const month: Quota = { ...day, name: 'month', limit: 1200, period: 'monthly' }
const alice = { user: '42' }

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

/** Questions are refused, lost, answered late, or carried out and never answered. */
const FAILURES: readonly OutageKind[] = ['refused', 'hanging', { slow: '160ms' }, { slow: '24h' }]

type Op =
  | { do: 'reserve'; at: number; cost: number; ttl: string | undefined; chunk: number | undefined }
  | { do: 'charge'; which: number; units: number }
  | { do: 'settle'; which: number }
  | { do: 'consume'; at: number; units: number }
  | { do: 'fail'; at: number; how: OutageKind }
  | { do: 'answer' | 'die'; at: number }
  | { do: 'pass' | 'sleep'; ms: number }

const at = fc.nat({ max: 2 })
const which = fc.nat({ max: 30 })
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      at,
      cost: fc.integer({ min: 1, max: 400 }),
      ttl: fc.constantFrom(undefined, '1s', '3s'),
      chunk: fc.constantFrom(undefined, 1, 70),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('charge' as const), which, units: fc.nat({ max: 150 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('consume' as const),
      at,
      units: fc.integer({ min: 1, max: 200 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('fail' as const), at, how: fc.constantFrom(...FAILURES) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), at }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 20, 110, 400, 1_200, 4_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.constantFrom(900, 5_000) }),
  },
)

interface Process {
  readonly store: FakeOutage
  readonly limiter: RateLimiter
}

interface Stream {
  readonly call: Reservation
  readonly process: Process
  /** The units that the stream has used. */
  used: number
}

async function play(isRemote: boolean, ops: readonly Op[]): Promise<void> {
  try {
    await playIn(newTime(BEGAN), isRemote, ops)
  } finally {
    endTime()
  }
}

/** @param isRemote whether the store answers later. Only then is it remembered what it said */
async function playIn(time: VirtualTime, isRemote: boolean, ops: readonly Op[]): Promise<void> {
  const inner = new core.ReferenceStore(() => time.unixMs())
  const begin = (): Process => {
    const store = core.fakeOutage(isRemote ? answering(inner, 0) : inner)
    const options = { store, policy: [day, month], warn: () => {}, storeTimeout: '100ms' } as const
    return { store, limiter: new core.RateLimiter({ ...options, onStoreError: 'closed' }) }
  }
  const processes = [begin(), begin(), begin()]
  const quotas = new core.QuotaManager(inner)
  const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
  let streams: Stream[] = []
  let used = 0
  const pending = new Set<string>()
  const watch = async (name: string, promise: Promise<unknown>): Promise<void> => {
    pending.add(name)
    await promise.catch(() => {})
    pending.delete(name)
  }
  const play = async (each: Op): Promise<unknown> => {
    const process = processes['at' in each ? each.at : 0] as Process
    const { store, limiter } = process
    switch (each.do) {
      case 'reserve': {
        const { cost, ttl, chunk } = each
        const call = await limiter.reserve(alice, { cost, ttl, chunk })
        return call.decision.allowed && streams.push({ call, process, used: 0 })
      }
      case 'charge': {
        const stream = streams[each.which % Math.max(1, streams.length)]
        if (stream === undefined || !(await stream.call.charge(each.units))) return
        stream.used += each.units
        used += each.units
        return
      }
      case 'settle': {
        const stream = streams.splice(each.which % Math.max(1, streams.length), 1)[0]
        // A stream settles what it was told that it may use, once the last part of it is paid.
        await stream?.call.charge(0)
        return stream?.call.settle(stream.used)
      }
      case 'consume': {
        const { allowed } = await limiter.consume(alice, { cost: each.units })
        return (used += allowed ? each.units : 0)
      }
      case 'fail':
        return store.begin(each.how)
      case 'answer':
        return store.end()
      case 'die':
        // Nobody hears of it again.
        store.begin('hanging')
        processes[each.at] = begin()
        streams = streams.filter(stream => stream.process !== process)
        return
      case 'pass':
      case 'sleep':
    }
  }
  const check = async (): Promise<void> => {
    for (const [quota, limit] of [
      [day, LIMIT],
      [month, 1200],
    ] as const) {
      const state = (await time.outside(() => quotas.checkQuota('42', quota))).quota
      expect(state.used).toBeGreaterThanOrEqual(used)
      expect(state.used + state.held).toBeLessThanOrEqual(limit)
    }
  }
  for (const [i, each] of ops.entries()) {
    if (each.do === 'sleep') time.stall(each.ms * 1000)
    else void watch(`${each.do} ${i}`, play(each))
    await pass(each.do === 'pass' ? each.ms : 0)
    await check()
  }
  for (const { store } of processes) store.end()
  await pass(2_000)
  for (const { limiter } of processes) void watch('probe', limiter.peek(alice))
  await pass(500)
  for (const { call, used: own } of streams) void watch('last', call.settle(own))
  await pass(500)
  await check()
  await pass(4_000)
  expect([...pending]).toEqual([])
  expect((await time.outside(() => quotas.checkQuota('42', day))).quota.held).toBe(0)
  for (const { limiter } of processes) void watch('close', limiter.close())
  await pass(1_000)
  expect([...pending]).toEqual([])
}

it('no unit is used that the budgets had not paid, whatever the network does', async () => {
  const history = fc.array(op, { minLength: 5, maxLength: 60 })
  await fc.assert(fc.asyncProperty(fc.boolean(), history, play), {
    numRuns: Number(process.env['RUNS'] ?? 40),
  })
})
