// Calls that run while periods end and begin, as the processes sleep and lose the store: each budget of each period has paid what the book says.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { Quota, Reservation } from '@halt/core'
import { endTime, newTime, unloadCore } from '../../../core/test/line/virtual-core.ts'
import { type ControlledCore, loadControlled } from '../line/virtual-control.ts'
import type { VirtualTime } from '../../../core/test/line/virtual-time.ts'
import { answering } from '../../../core/test/waiting/answering.ts'
import { ANCHORS, BEGAN, Book, type Entry, HOUR, type Name, NAMES } from './period-book.ts'

const alice = { user: '42' }

let core: ControlledCore
beforeAll(async () => void (core = await loadControlled()))
afterAll(unloadCore)

type Units = Readonly<Partial<Record<Name, number>>>

type Op =
  | {
      do: 'reserve'
      at: number
      cost: Readonly<Record<Name, number>>
      ttl: string | undefined
      least: number | undefined
    }
  | { do: 'change'; at: number; name: Name; units: number }
  | { do: 'charge' | 'settle'; which: number; units: number | Units }
  | { do: 'cancel'; which: number }
  | { do: 'consume'; at: number; units: number }
  | { do: 'grant'; name: Name; units: number }
  | { do: 'reset'; name: Name }
  | { do: 'fail'; at: number }
  | { do: 'answer' }
  | { do: 'pass' | 'sleep'; ms: number }

const which = fc.nat({ max: 30 })
const at = fc.nat({ max: 1 })
const units = (max: number): fc.Arbitrary<number | Units> =>
  fc.oneof(fc.nat({ max }), fc.record({ hour: fc.nat({ max }), day: fc.nat({ max }) }, { requiredKeys: [] }))
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      at,
      cost: fc.record({ hour: fc.nat({ max: 300 }), day: fc.nat({ max: 300 }) }),
      ttl: fc.constantFrom(undefined, '2s', '7s', '24h'),
      least: fc.constantFrom(undefined, 1),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('charge' as const), which, units: units(120) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('settle' as const), which, units: units(300) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('consume' as const),
      at,
      units: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 900 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('grant' as const),
      name: fc.constantFrom(...NAMES),
      units: fc.integer({ min: 1, max: 90 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('reset' as const),
      name: fc.constantFrom(...NAMES),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      at,
      name: fc.constantFrom(...NAMES),
      units: fc.integer({ min: 1, max: 1000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 400, 3_000, 11_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('sleep' as const),
      ms: fc.constantFrom(6_000, 19_990, HOUR / 2, HOUR, 2 * HOUR),
    }),
  },
)

/** The limits of the budgets, and what a unit of a history stands for. */
interface Size {
  readonly limits: Readonly<Record<Name, number>>
  readonly unit: number
}

const LARGEST = 999_999_999_999_999
const SIZES: readonly Size[] = [
  { limits: { hour: 700, day: 900 }, unit: 1 },
  { limits: { hour: 1e9, day: 1e9 }, unit: 1 },
  { limits: { hour: LARGEST - 1, day: LARGEST }, unit: 1_428_571_428_571 },
]

interface History {
  readonly ops: readonly Op[]
  readonly size: Size
  readonly hasOutages: boolean
  /** Whether the store answers later. Only then is it remembered what it said. */
  readonly isRemote: boolean
}

const history: fc.Arbitrary<History> = fc.record({
  ops: fc.array(op, { minLength: 5, maxLength: 50 }),
  size: fc.constantFrom(...SIZES),
  hasOutages: fc.boolean(),
  isRemote: fc.boolean(),
})

interface Open {
  readonly call: Reservation
  readonly entries: Readonly<Record<Name, Entry>>
  readonly isHeld: boolean
  /** The hour in which the process was last awake and knew its units held; undefined if it may have lost them since. */
  keptIn: number | undefined
}

async function play(given: History): Promise<void> {
  try {
    await playIn(newTime(BEGAN), given)
  } finally {
    endTime()
  }
}

async function playIn(time: VirtualTime, { ops, size, hasOutages, isRemote }: History): Promise<void> {
  const inner = new core.ReferenceStore(() => time.unixMs())
  const quota = (name: Name, period: 'hourly' | 'daily'): Quota => ({
    name,
    limit: size.limits[name],
    period,
    anchor: new Date(ANCHORS[name]),
  })
  const policy = [quota('hour', 'hourly'), quota('day', 'daily')]
  const processes = [0, 1].map(() => {
    const store = core.fakeOutage(isRemote ? answering(inner, 0) : inner)
    const warn = (): void => {}
    const control = new core.Control({ store, warn })
    const options = { store, policy, control, warn, instances: 2, storeTimeout: '100ms' } as const
    return { store, control, limiter: new core.RateLimiter(options) }
  })
  const quotas = new core.QuotaManager(inner)
  const book = new Book(time)
  const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
  const soon = async <T>(promise: Promise<T>): Promise<T> => (await Promise.all([promise, pass(0)]))[0]
  const calls: Open[] = []
  const granted = new Map<string, number>()
  let isOverdrawn = false
  let isAway = false
  let isChanged = false
  const unitsOf = (given: number | Units, name: Name): number | undefined =>
    typeof given === 'number' ? given : given[name]
  const scaled = <T extends number | Units>(given: T): T =>
    (typeof given === 'number'
      ? given * size.unit
      : Object.fromEntries(Object.entries(given).map(([name, sum]) => [name, sum * size.unit]))) as T
  const end = async (open: Open, given: number | Units, ending: Promise<void>): Promise<void> => {
    await soon(ending)
    for (const name of NAMES) {
      const actual = unitsOf(given, name)
      if ((actual ?? open.entries[name].estimate) > open.entries[name].paid) isOverdrawn = true
      book.settle(name, open.entries[name], given === 0 ? 0 : actual)
    }
  }
  const limitOf = (name: Name): number =>
    size.limits[name] + (granted.get(`${name} ${book.period(name)}`) ?? 0)
  const room = async (name: Name): Promise<number> => {
    const { quota } = await soon(quotas.checkQuota('42', policy[NAMES.indexOf(name)] as Quota))
    return limitOf(name) - book.used(name) - quota.held
  }
  const read = async (): Promise<void> => {
    for (const [i, name] of NAMES.entries()) {
      const { quota } = await soon(quotas.checkQuota('42', policy[i] as Quota))
      expect([name, quota.used]).toEqual([name, book.used(name)])
      const most = calls.reduce(
        (sum, { isHeld, entries: { [name]: own } }) => sum + (isHeld ? own.estimate : 0),
        0,
      )
      expect(quota.held).toBeLessThanOrEqual(most)
      if (!isOverdrawn) expect(quota.used + quota.held).toBeLessThanOrEqual(limitOf(name))
    }
  }
  /** The store is asked once more, so that the processes know that it is back, and tell it of what it missed. */
  const recover = async (): Promise<void> => {
    for (const { store } of processes) store.end()
    await pass(2_000)
    for (const { limiter } of processes) await soon(limiter.peek(alice))
    await pass(1_000)
    isAway = false
  }
  for (const each of ops) {
    const { store, limiter, control } = processes['at' in each ? each.at : 0] as (typeof processes)[number]
    switch (each.do) {
      case 'reserve': {
        const { ttl, least } = each
        const cost = scaled(each.cost)
        const call = await soon(limiter.reserve(alice, { cost, chunk: 1, ttl, least }))
        if (!call.decision.allowed) break
        const isHeld = ttl !== undefined && call.decision.degraded === false
        const got = limiter.chargesOf(call.decision)
        for (const name of NAMES) {
          const units = got.get(name) ?? 0
          expect([units <= cost[name], units >= Math.min(cost[name], least ?? cost[name])]).toEqual([
            true,
            true,
          ])
        }
        const entries = {
          hour: book.open('hour', got.get('hour') ?? 0, isHeld),
          day: book.open('day', got.get('day') ?? 0, isHeld),
        }
        calls.push({ call, entries, isHeld, keptIn: isHeld && !isAway ? book.period('hour') : undefined })
        break
      }
      case 'charge': {
        const open = calls[each.which % Math.max(1, calls.length)]
        if (open === undefined) break
        const sum = scaled(each.units)
        const isCovered = NAMES.every(name => {
          const { estimate, used } = open.entries[name]
          return used + (unitsOf(sum, name) ?? 0) <= estimate
        })
        const isPaid = await soon(open.call.charge(sum))
        // What a call holds is its own, whatever others do.
        if (isCovered && open.keptIn === book.period('hour')) expect(isPaid).toBe(true)
        if (!isPaid) break
        for (const name of NAMES) book.charge(name, open.entries[name], unitsOf(sum, name) ?? 0)
        break
      }
      case 'settle':
      case 'cancel': {
        const open = calls.splice(each.which % Math.max(1, calls.length), 1)[0]
        if (open === undefined) break
        if (each.do === 'cancel') await end(open, 0, open.call.cancel())
        else await end(open, scaled(each.units), open.call.settle(scaled(each.units)))
        break
      }
      case 'consume': {
        const cost = scaled(each.units)
        let fits = true
        for (const name of NAMES) if (cost > (await room(name))) fits = false
        const { allowed, degraded } = await soon(limiter.consume(alice, { cost }))
        // Whatever was refused or lost before, nobody is kept from what is left.
        if (!isAway) expect([degraded, isChanged || allowed === fits]).toEqual([false, true])
        if (allowed) for (const name of NAMES) book.add(name, cost)
        break
      }
      case 'grant': {
        const key = `${each.name} ${book.period(each.name)}`
        granted.set(key, (granted.get(key) ?? 0) + scaled(each.units))
        await soon(quotas.grantQuota('42', policy[NAMES.indexOf(each.name)] as Quota, scaled(each.units)))
        break
      }
      case 'reset':
        // What was charged without the store cannot be given back after a reset.
        if (hasOutages) break
        book.reset(
          each.name,
          calls.map(({ entries }) => entries[each.name]),
        )
        await soon(quotas.resetQuota('42', policy[NAMES.indexOf(each.name)] as Quota))
        break
      case 'change':
        // More than the limit may be used before it is lowered.
        isOverdrawn = isChanged = true
        await soon(control.change(each.name, { limit: scaled(each.units) }).catch(() => {}))
        break
      case 'fail':
        if (!hasOutages) break
        // Each process alone spends its share of the limit.
        isOverdrawn = isAway = true
        for (const open of calls) open.keptIn = undefined
        store.begin('refused')
        break
      case 'answer':
        if (isAway) await recover()
        break
      case 'pass':
        await pass(each.ms)
        break
      case 'sleep':
        time.stall(each.ms * 1000)
        for (const open of calls) open.keptIn = undefined
        await pass(0)
    }
    if (!isAway) await read()
  }
  await recover()
  await read()
  for (const open of calls.splice(0)) await end(open, 5, open.call.settle(5))
  await pass(100)
  await read()
  for (const { limiter, control } of processes) {
    await Promise.all([limiter.close(), pass(500)])
    control.close()
  }
}

it('each budget has paid in each period what its calls have used, whatever happens', async () => {
  await fc.assert(fc.asyncProperty(history, play), { numRuns: Number(process.env['RUNS'] ?? 40) })
})
