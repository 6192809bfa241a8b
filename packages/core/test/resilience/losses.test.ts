// Whatever becomes of a store and of the ways to it: nobody is admitted beyond the bounds of RELIABILITY.md, and whom a process knows to
// be refused stays so.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import type { Policy, RateLimiter } from '../../src/index.ts'
import { memoryServer } from '../line/server.ts'
import { endTime, loadCore, newTime, ORIGIN, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'
import { ask, Asked, FailingWire, type WireFault } from './failing-wire.ts'

// What is decided without the store goes by the time since the process began.
const BEGAN = ORIGIN

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

const client = { ip: '203.0.113.7' }
const LIMIT = 20
const IN_FLIGHT = 3
const fixed = { name: 'p', limit: LIMIT, window: '1d', algorithm: 'fixed-window' } as const
const slow = { name: 'p', limit: LIMIT, window: '30d' } as const

/** Policies, none of whose units come back while a history lasts. */
const POLICIES: Record<string, Policy[]> = {
  'a quota': [
    { name: 'p', limit: LIMIT, period: 'daily', anchor: new Date(BEGAN - 60_000), keyStrategy: 'ip' },
  ],
  'a window': [fixed],
  'a window that blocks': [{ ...fixed, blockDuration: '30m' }],
  'a sliding window': [{ ...fixed, algorithm: 'sliding-window' }],
  'a bucket': [slow],
  'a bucket that blocks': [{ ...slow, blockDuration: '1h' }],
  permits: [{ name: 'p', limit: LIMIT, algorithm: 'concurrency', ttl: '1d' }],
  'a leased window': [{ ...fixed, lease: { share: 0.3, idle: '500ms' } }],
  'a window that counts later': [{ ...fixed, inFlight: IN_FLIGHT, blockDuration: '30m' }],
  'two windows': [
    fixed,
    { name: 'q', limit: LIMIT / 2, window: '1d', algorithm: 'sliding-window', blockDuration: '20m' },
  ],
}

type Op =
  | { do: 'check'; at: number; cost: number }
  | { do: 'burst' | 'heal'; at: number }
  | { do: 'fail'; at: number; how: WireFault }
  | { do: 'lose' | 'go back' }
  | { do: 'pass'; ms: number }

/** Three limiters: two of one process, and one of another. */
const at = fc.nat({ max: 2 })
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('check' as const), at, cost: fc.constantFrom(1, 1, 1, 3, 7, 25) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('burst' as const), at }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      at,
      how: fc.constantFrom<WireFault>('refused', 'busy', 'slow', 'late', 'before', 'after', 'hung'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('heal' as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'go back' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 10, 150, 700, 2000, 20_000, 600_000),
    }),
  },
)

interface History {
  readonly ops: readonly Op[]
  /** How long each way to the store takes, in milliseconds. */
  readonly delay: number
  /** Whether the store loses counters. */
  readonly isLossy: boolean
  /** Whether answers come after the deadline. The store then gives units back, so that who was refused may be admitted. */
  readonly isLate: boolean
}

const history: fc.Arbitrary<History> = fc.record({
  ops: fc.array(op, { minLength: 5, maxLength: 60, size: 'max' }),
  delay: fc.constantFrom(0, 3, 20),
  isLossy: fc.boolean(),
  isLate: fc.boolean(),
})

/** A refusal by the store, which holds for a limiter from one instant to another, and for this cost and more. Microseconds. */
interface Refusal {
  readonly limiter: RateLimiter
  readonly process: number
  readonly cost: number
  readonly from: number
  readonly to: number
}

async function play(kind: string, given: History): Promise<void> {
  try {
    await playIn(newTime(BEGAN), kind, given)
  } finally {
    endTime()
  }
}

async function playIn(
  time: VirtualTime,
  kind: string,
  { ops, delay, isLossy, isLate }: History,
): Promise<void> {
  const server = await memoryServer(core)(() => time.unixMs(), time)
  const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
  const policy = POLICIES[kind] as Policy[]
  const start = (count: number): { wire: FailingWire; limiters: RateLimiter[] } => {
    const wire = new FailingWire(server.store, new Map(), delay)
    const options = { store: wire, policy, warn: () => {}, instances: 2, storeTimeout: '100ms' } as const
    return { wire, limiters: Array.from({ length: count }, () => new core.RateLimiter(options)) }
  }
  const processes = [start(2), start(1)]
  const hasFailover = ops.some(each => each.do === 'go back')
  const wireOf = (at: number): FailingWire => processes[at >> 1]!.wire
  const holds = (reason: string): boolean => {
    // Refusals that end by themselves: a place becomes free, or units that a process had taken in advance come back.
    if (isLate || kind === 'permits' || kind === 'a leased window') return false
    // Where counters are lost, blocks are restored, and nothing else. A replica that lags has the mark, so nothing is restored.
    if (isLossy && (!kind.includes('block') || hasFailover || reason !== 'blocked')) return false
    return reason !== 'cost-exceeds-limit' && (kind !== 'a window that counts later' || reason === 'blocked')
  }
  let refusals: Refusal[] = []
  const log: string[] = []
  let admitted = 0
  const check = async (at: number, cost: number): Promise<void> => {
    const limiter = processes[at >> 1]!.limiters[at & 1] as RateLimiter
    const sent = time.now
    const decision = await ask(new Asked(), () => limiter.consume(client, { cost }))
    const { allowed, reason, degraded, retryAfterMs } = decision
    log.push(
      `${sent / 1000} ms: ${at} asks for ${cost}: ${reason}, degraded ${degraded}, again in ${retryAfterMs} ms`,
    )
    if (allowed) admitted += kind === 'permits' ? 1 : cost
    else if (degraded === false && holds(reason))
      refusals.push({ limiter, process: at >> 1, cost, from: time.now, to: sent + retryAfterMs * 1000 })
    const broken = refusals.filter(
      refusal =>
        refusal.limiter === limiter &&
        cost >= refusal.cost &&
        sent >= refusal.from &&
        sent < refusal.to - 1000,
    )
    if (allowed) expect([log, broken.map(refusal => refusal.cost)]).toEqual([log, []])
    // A client of whom something is admitted is known to be refused no longer, whatever its larger requests were told.
    if (allowed) refusals = refusals.filter(({ process }) => process !== at >> 1)
    if (kind === 'a window that counts later') await limiter.release(decision)
  }
  const failures: unknown[] = []
  const begin = (at: number, cost: number): void =>
    void check(at, cost).catch((error: unknown) => failures.push(error))
  let losses = 0
  for (const each of ops) {
    switch (each.do) {
      case 'check':
        begin(each.at, each.cost)
        break
      case 'burst':
        for (let i = 0; i < 12; i++) {
          begin(each.at, 1)
          if (i % 3 === 0) await pass(delay)
        }
        break
      case 'fail':
        wireOf(each.at).heal()
        wireOf(each.at).fault = !isLate && (each.how === 'slow' || each.how === 'late') ? 'busy' : each.how
        break
      case 'heal':
        wireOf(each.at).heal()
        break
      case 'lose':
      case 'go back':
        if (!isLossy) break
        losses++
        for (const { wire } of processes) wire.break()
        await pass(100)
        if (each.do === 'lose') await server.lose()
        else server.loseLast!(1500)
        for (const { wire } of processes) wire.heal()
        await pass(300)
        break
      case 'pass':
    }
    await pass(each.do === 'pass' ? each.ms : 0)
  }
  for (const { wire } of processes) wire.heal()
  await pass(5000)
  if (failures.length > 0) throw failures[0]
  // The store's part, a share of each of two processes, and the whole limit once more each time that the store lost it.
  const most = LIMIT + 2 * (LIMIT / 2) + losses * LIMIT
  const undecided = kind === 'a window that counts later' ? IN_FLIGHT * (3 + losses) : 0
  const refilled = kind.startsWith('a bucket') ? 1 : 0
  expect([log, admitted]).toEqual([log, Math.min(admitted, most + undecided + refilled)])
  const closing = Promise.all(
    processes.flatMap(({ limiters }) => limiters.map(async limiter => limiter.close())),
  )
  await pass(3000)
  await closing
}

for (const kind of Object.keys(POLICIES))
  it(`${kind} admits no more than is promised, and nobody who is known to be refused`, async () => {
    await fc.assert(
      fc.asyncProperty(history, given => play(kind, given)),
      { numRuns: Number(process.env['RUNS'] ?? (isFull ? 150 : 8)) },
    )
  })
