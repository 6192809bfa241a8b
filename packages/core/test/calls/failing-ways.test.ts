// Calls that reserve, pay while they run and settle, whatever becomes of the ways to the store: what they used is paid once.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import type { Quota, Reservation } from '../../src/index.ts'
import { endTime, loadCore, newTime, ORIGIN, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'
import { ask, Asked, FailingWire, type WireFault } from '../resilience/failing-wire.ts'

// What is decided without the store goes by the time since the process began.
const BEGAN = ORIGIN
const day: Quota = { name: 'day', limit: 1e9, period: 'daily', anchor: new Date(BEGAN - 60_000) }
const alice = { user: '42' }

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

type Op =
  | { do: 'reserve'; at: number; cost: number; ttl: boolean; chunk: number | undefined }
  | { do: 'charge' | 'settle'; which: number; units: number }
  | { do: 'cancel'; which: number }
  | { do: 'fail'; at: number; how: WireFault }
  | { do: 'heal'; at: number }
  | { do: 'pass'; ms: number }

const which = fc.nat({ max: 30 })
const at = fc.nat({ max: 1 })
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      at,
      cost: fc.integer({ min: 1, max: 400 }),
      ttl: fc.boolean(),
      chunk: fc.constantFrom(undefined, 1, 50),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom('charge' as const, 'charge' as const, 'settle' as const),
      which,
      units: fc.nat({ max: 200 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      at,
      how: fc.constantFrom<WireFault>('refused', 'busy', 'slow', 'late', 'before', 'after', 'hung'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('heal' as const), at }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 1, 30, 120, 400, 700, 5000),
    }),
  },
)

interface History {
  readonly ops: readonly Op[]
  readonly delay: number
  readonly onStoreError: 'local' | 'closed'
}

const history: fc.Arbitrary<History> = fc.record({
  ops: fc.array(op, { minLength: 5, maxLength: 60, size: 'max' }),
  delay: fc.constantFrom(0, 3, 20),
  onStoreError: fc.constantFrom('local' as const, 'local' as const, 'closed' as const),
})

/** A call of a history: what it asked for, and what it used. */
interface Use {
  readonly asked: Asked[]
  /** The most units that its payments ask for. */
  wanted: number
  readonly chunk: number
  call: Reservation | undefined
  charged: number
  actual: number | undefined
}

async function play(given: History): Promise<void> {
  try {
    await playIn(newTime(BEGAN), given)
  } finally {
    endTime()
  }
}

async function playIn(time: VirtualTime, { ops, delay, onStoreError }: History): Promise<void> {
  const inner = new core.ReferenceStore(() => time.unixMs())
  const processes = [0, 1].map(() => {
    const wire = new FailingWire(inner, new Map(), delay, () => true)
    const options = { store: wire, policy: day, warn: () => {}, onStoreError, instances: 2 } as const
    return { wire, limiter: new core.RateLimiter({ ...options, storeTimeout: '100ms' }) }
  })
  const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
  const uses: Use[] = []
  const open: Use[] = []
  const pending = new Set<Promise<unknown>>()
  const watch = (promise: Promise<unknown>): void => {
    pending.add(promise)
    void promise.finally(() => pending.delete(promise))
  }
  const end = async (use: Use, units: number): Promise<void> => {
    use.actual = units
    await (units === 0 ? use.call!.cancel() : use.call!.settle(units))
  }
  for (const each of ops) {
    switch (each.do) {
      case 'reserve': {
        const { cost, chunk } = each
        const use: Use = {
          asked: [new Asked()],
          wanted: cost,
          chunk: chunk ?? cost / 10 + 1,
          call: undefined,
          charged: 0,
          actual: undefined,
        }
        uses.push(use)
        const options = { cost, chunk, ...(each.ttl ? { ttl: '2s' } : {}) }
        const reserve = async (): Promise<void> => {
          const call = await ask(use.asked[0] as Asked, () =>
            processes[each.at]!.limiter.reserve(alice, options),
          )
          use.call = call
          if (call.decision.allowed) open.push(use)
        }
        watch(reserve())
        break
      }
      case 'charge': {
        const use = open[each.which % Math.max(1, open.length)]
        if (use === undefined) break
        const asked = new Asked()
        use.asked.push(asked)
        use.wanted += each.units + use.chunk
        const charge = async (): Promise<void> => {
          if (await ask(asked, () => use.call!.charge(each.units))) use.charged += each.units
        }
        watch(charge())
        break
      }
      case 'settle':
      case 'cancel': {
        const [use] = open.splice(each.which % Math.max(1, open.length), 1)
        if (use !== undefined) watch(end(use, each.do === 'cancel' ? 0 : each.units))
        break
      }
      case 'fail':
        processes[each.at]!.wire.heal()
        processes[each.at]!.wire.fault = each.how
        break
      case 'heal':
        processes[each.at]!.wire.heal()
        break
      case 'pass':
    }
    await pass(each.do === 'pass' ? each.ms : 0)
  }
  for (const { wire } of processes) wire.heal()
  await pass(2000)
  // The store is asked once more, so that the processes know that it is back, and tell it of what it missed.
  for (const { limiter } of processes) watch(limiter.peek(alice))
  await pass(1000)
  for (const use of open.splice(0)) watch(end(use, use.charged))
  await pass(1000)
  for (const { limiter } of processes) watch(limiter.close())
  await pass(5000)
  expect(pending.size).toBe(0)
  const checking = new core.QuotaManager(inner).checkQuota('42', day)
  await pass(0)
  const { used, held } = (await checking).quota
  const [least, most] = expected(uses)
  expect([used, held]).toEqual([Math.min(most, Math.max(least, used)), 0])
}

/** The fewest and the most units that are paid. They differ by what became of calls to the store whose answers were lost. */
function expected(uses: readonly Use[]): [number, number] {
  let [least, most] = [0, 0]
  for (const { asked, wanted, actual = 0 } of uses) {
    const isLost = asked.some(({ isInDoubt, isTold }) => isInDoubt && !isTold)
    if (!isLost) least += actual
    most += isLost ? actual + wanted : actual
  }
  return [least, most]
}

it('every call has paid what it used once, whatever becomes of its ways to the store', async () => {
  await fc.assert(fc.asyncProperty(history, play), {
    numRuns: Number(process.env['RUNS'] ?? (isFull ? 500 : 40)),
  })
})
