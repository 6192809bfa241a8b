// Whatever becomes of the way to the store, and whatever meets it: what was used is charged once, and nothing is kept of what has ended.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import type { Policy, Decision, OnStoreError, Quota, RateLimiter, RequestView } from '../../src/index.ts'
import { algorithmOf } from '../../src/algorithms/index.ts'
import { type Demand, Mode, type Evaluation, type Store } from '../../src/databases/index.ts'
import { endTime, loadCore, newTime, ORIGIN, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'
import { view } from '../world.ts'
import { ask, Asked, FailingWire, type SeenCounters, type WireFault } from './failing-wire.ts'

// What is decided without the store goes by the time since the process began.
const BEGAN = ORIGIN

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

const AMPLE = 1e9
const anchor = new Date(BEGAN - 60_000)
const day: Quota = { name: 'day', limit: AMPLE, period: 'daily', anchor, keyStrategy: 'ip' }
const month: Quota = { name: 'month', limit: AMPLE, period: 'monthly', anchor, keyStrategy: 'ip' }
const fixed = { name: 'fixed', limit: AMPLE, window: '1d', algorithm: 'fixed-window' } as const
const sliding = { name: 'sliding', limit: AMPLE, window: '30d', algorithm: 'sliding-window' } as const
const permits = { name: 'permits', limit: 10_000, algorithm: 'concurrency', ttl: '1d' } as const
const lease = { share: 0.1, idle: '200ms' } as const
const busy = { ...fixed, name: 'busy', limit: 20_000, lease } as const
const login = { ...fixed, name: 'login', inFlight: 9000 } as const
const shadow = { ...sliding, name: 'shadow', mode: 'shadow' } as const

/** The policies of a history. The policy function gives the first ones and the second ones in turn, as a plan changes. */
const POLICIES: Record<string, readonly [Policy[], Policy[]?]> = {
  'a quota': [[day]],
  'a quota and windows': [[day, fixed, sliding]],
  'permits and a quota': [[permits, day]],
  'a window that counts later': [[login, permits]],
  'a leased window': [[busy]],
  'a leased window and a quota': [[busy, day]],
  'plans that share a quota': [
    [{ ...day, name: 'free', counter: 'plan' }],
    [{ ...month, name: 'pro', counter: 'plan' }],
  ],
  'plans that share a window': [
    [{ ...fixed, name: 'free', counter: 'plan' }, day],
    [day, { ...fixed, name: 'pro', counter: 'plan', limit: 2 * AMPLE }, permits],
  ],
  'a window of keys, and of their address': [[{ ...sliding, keyStrategy: 'api-key' }, day]],
  'a window in shadow mode': [[shadow, day]],
  'a policy for each mode of failure': [
    [{ ...day, onStoreError: 'local' }, { ...fixed, onStoreError: 'open' }, sliding],
  ],
}

type Op =
  | { do: 'check'; at: number; cost: number; key: 'none' | 'own' | number }
  | { do: 'settle'; which: number; units: number }
  | { do: 'cancel' | 'release'; which: number }
  | { do: 'fail'; at: number; how: WireFault }
  | { do: 'heal'; at: number }
  | { do: 'plan' }
  | { do: 'restart'; at: number }
  | { do: 'pass'; ms: number }

/** Three limiters: two of one process, and one of another. */
const at = fc.nat({ max: 2 })
const which = fc.nat({ max: 50 })
const cost = fc.integer({ min: 1, max: 9 })
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('check' as const),
      at,
      cost,
      key: fc.constantFrom('none' as const, 'none' as const, 'none' as const, 'own' as const, 0, 1),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('settle' as const), which, units: fc.nat({ max: 15 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'release' as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      at,
      how: fc.constantFrom<WireFault>('refused', 'busy', 'slow', 'late', 'before', 'after', 'hung'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('heal' as const), at }) },
  { weight: 1, arbitrary: fc.constant({ do: 'plan' as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), at: fc.nat({ max: 1 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 1, 10, 60, 150, 700, 2000),
    }),
  },
)

interface History {
  readonly ops: readonly Op[]
  readonly delay: number
  readonly onStoreError: OnStoreError
}

const history: fc.Arbitrary<History> = fc.record({
  ops: fc.array(op, { minLength: 5, maxLength: 60, size: 'max' }),
  delay: fc.constantFrom(0, 3, 20),
  onStoreError: fc.constantFrom<OnStoreError>('local', 'local', 'local', 'closed', 'open'),
})

/** A check of a history, and what its application says of it. */
interface Use {
  readonly process: number
  readonly asked: Asked
  readonly cost: number
  readonly key: string | undefined
  decision: Decision | undefined
  /** The units that were used; undefined if it was never settled. */
  actual: number | undefined
}

interface Process {
  readonly wire: FailingWire
  readonly limiters: RateLimiter[]
}

async function play(kind: string, given: History): Promise<void> {
  try {
    await playIn(newTime(BEGAN), kind, given)
  } finally {
    endTime()
  }
}

async function playIn(time: VirtualTime, kind: string, { ops, delay, onStoreError }: History): Promise<void> {
  const store: Store = new core.ReferenceStore(() => time.unixMs())
  const seen: SeenCounters = new Map()
  const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
  const soon = async <T>(promise: Promise<T>, ms: number): Promise<T> =>
    (await Promise.all([promise, pass(ms)]))[0]
  const [first, second = first] = POLICIES[kind] as [Policy[], Policy[]?]
  let plan = first
  // A refund goes to the period that was charged. Without the store, nobody knows to which of several a charge will go.
  const hasPeriods = kind === 'plans that share a quota'
  const start = (limiters: number): Process => {
    const wire = new FailingWire(store, seen, delay)
    const make = (): RateLimiter =>
      new core.RateLimiter({
        store: wire,
        policy: () => plan,
        warn: () => {},
        onStoreError,
        instances: 2,
        storeTimeout: '100ms',
        exemptPrivateIps: false,
      })
    return { wire, limiters: Array.from({ length: limiters }, make) }
  }
  const processes = [start(2), start(1)]
  const of = (at: number): { process: Process; limiter: RateLimiter } => {
    const process = processes[at >> 1] as Process
    return { process, limiter: process.limiters[at & 1] as RateLimiter }
  }
  const request: RequestView = view({ headers: { 'x-api-key': 'k' } })
  const uses: Use[] = []
  const open: { use: Use; limiter: RateLimiter }[] = []
  const pending = new Set<Promise<unknown>>()
  const watch = (promise: Promise<unknown>): void => {
    pending.add(promise)
    void promise.finally(() => pending.delete(promise))
  }
  const finish = (which: number, units: number | 'release'): void => {
    const [found] = open.splice(which % Math.max(1, open.length), 1)
    const decision = found?.use.decision
    if (found === undefined || decision === undefined) return
    const { use, limiter } = found
    const end = async (): Promise<void> => {
      if (units !== 'release' && !isRepeatable(use) && !hasPeriods) {
        use.actual = units
        await limiter.settle(decision, units)
      }
      await limiter.release(decision)
    }
    watch(end())
  }
  for (const [i, each] of ops.entries()) {
    switch (each.do) {
      case 'check': {
        const { limiter } = of(each.at)
        // A key stands for one call, with one cost and by the same policies. Each process has its own.
        const shared = `${each.at >> 1} ${plan === first} ${each.key}`
        const key = each.key === 'none' ? undefined : each.key === 'own' ? `own ${i}` : shared
        const cost = typeof each.key === 'number' ? each.key + 3 : each.cost
        const use: Use = {
          process: each.at >> 1,
          asked: new Asked(),
          cost,
          key,
          decision: undefined,
          actual: undefined,
        }
        uses.push(use)
        const options = { cost, ...(key === undefined ? {} : { idempotencyKey: key }) }
        const check = async (): Promise<void> => {
          use.decision = await ask(use.asked, () => limiter.check(request, options))
          open.push({ use, limiter })
        }
        watch(check())
        break
      }
      case 'settle':
        finish(each.which, each.units)
        break
      case 'cancel':
        finish(each.which, 0)
        break
      case 'release':
        finish(each.which, 'release')
        break
      case 'fail':
        of(each.at).process.wire.heal()
        of(each.at).process.wire.fault = each.how
        break
      case 'heal':
        of(each.at).process.wire.heal()
        break
      case 'plan':
        plan = plan === first ? second : first
        break
      case 'restart': {
        const process = processes[each.at] as Process
        process.wire.heal()
        await pass(1000)
        for (let left = open.length; left > 0; left--)
          if (process.limiters.includes(open[0]!.limiter)) finish(0, 'release')
          else open.push(open.shift()!)
        await pass(500)
        await soon(Promise.all(process.limiters.map(async limiter => limiter.close())), 2000)
        processes[each.at] = start(process.limiters.length)
        break
      }
      case 'pass':
    }
    await pass(each.do === 'pass' ? each.ms : 0)
  }
  for (const { wire } of processes) wire.heal()
  await pass(2000)
  // The store is asked once more, so that the processes know that it is back, and tell it of what it missed.
  for (const { limiters } of processes) for (const limiter of limiters) await soon(limiter.peek(request), 200)
  await pass(1000)
  while (open.length > 0) finish(0, 'release')
  await pass(1000)
  for (const { limiters } of processes)
    await soon(Promise.all(limiters.map(async limiter => limiter.close())), 2000)
  // A request whose end nobody was told of is undecided for a minute.
  await pass(61_000)
  expect(pending.size).toBe(0)
  for (const [name, demand] of seen) {
    const counted = unitsIn(store, demand, time.unixMs() * 1000)
    const [least, most] = expected(name, demand, uses)
    expect([name, counted]).toEqual([name, Math.min(most, Math.max(least, counted))])
  }
}

/** A call that may be repeated by its key, and is not settled: it is charged as one call, whichever of them the store hears. */
function isRepeatable({ key }: Use): boolean {
  return key !== undefined && !key.startsWith('own')
}

/** The units that a store counts at an instant, in microseconds. */
function unitsIn(store: Store, demand: Demand, now: number): number {
  const look = { ...demand, cost: 0, mode: Mode.PEEK, terms: undefined }
  const { states } = store.evaluate({ demands: [look] }) as Evaluation
  const [, ...numbers] = states[0] ?? []
  // A window and a quota: the end, and the units. Sub-windows: as many of such pairs.
  return numbers.reduce((sum, number, i) => sum + (i % 2 === 1 && numbers[i - 1]! > now ? number : 0), 0)
}

/** The fewest and the most units that a store must count. They differ only for a call that is repeated by its key, and was lost once. */
function expected(name: string, { rule }: Demand, uses: readonly Use[]): [number, number] {
  const { isQuota, isFlight } = algorithmOf(rule)
  const unitsOf = ({ decision, asked, cost, actual, key }: Use): number => {
    if (decision === undefined) return 0
    const { allowed, degraded } = decision
    const used = actual ?? cost
    const stored = asked.charged?.get(name)
    if (stored !== undefined && !asked.isTold)
      return stored.isLater || name.includes('login') ? 0 : stored.units
    if (isFlight || !allowed) return 0
    // Units that the process had taken in advance, for a check of which the store has charged the rest, or all.
    const mayBeLeased = name.endsWith(' busy:f') && key === undefined && decision.cost > 0
    const isLeased = mayBeLeased && (degraded === false || asked.isTold)
    if (degraded === 'open') return stored?.units ?? (isLeased ? cost : 0)
    if (stored !== undefined || isLeased) return used
    return isQuota && degraded === 'local' && !asked.isInDoubt ? used : 0
  }
  let [least, most] = [0, 0]
  const byKey = new Map<unknown, Use[]>()
  for (const use of uses) {
    const key = isRepeatable(use) && !isFlight ? use.key : use
    byKey.set(key, [...(byKey.get(key) ?? []), use])
  }
  for (const group of byKey.values()) {
    const units = Math.max(...group.map(unitsOf))
    const isLost =
      group.length > 1 && group.some(({ asked }) => asked.isInDoubt && asked.charged === undefined)
    most += units
    least += isLost ? 0 : units
  }
  return [least, most]
}

for (const kind of Object.keys(POLICIES))
  it(`what is used of ${kind} is charged once, whatever becomes of the way to the store`, async () => {
    await fc.assert(
      fc.asyncProperty(history, given => play(kind, given)),
      { numRuns: Number(process.env['RUNS'] ?? (isFull ? 200 : 8)) },
    )
  })
