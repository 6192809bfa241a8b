// Whatever happens to calls that hold units of a budget: each of them ends, and the budget has paid exactly what was used.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { Quota, Reservation } from '../../src/index.ts'
import { endTime, loadCore, newTime, unloadCore, type VirtualCore } from '../line/virtual-core.ts'
import type { VirtualTime } from '../line/virtual-time.ts'
import { answering } from '../waiting/answering.ts'

// What is decided without the store goes by the time since the process began.
const BEGAN = performance.timeOrigin
const day: Quota = { name: 'day', limit: 1000, period: 'daily', anchor: new Date(BEGAN - 60_000) }
const alice = { user: '42' }

let core: VirtualCore
beforeAll(async () => void (core = await loadCore()))
afterAll(unloadCore)

type Op =
  | { do: 'reserve'; cost: number; ttl: boolean; chunk: number | undefined }
  | { do: 'charge' | 'settle'; which: number; units: number }
  | { do: 'cancel'; which: number }
  | { do: 'consume'; units: number }
  | { do: 'change'; limit: number }
  | { do: 'reset' | 'grant' | 'fail' | 'answer' }
  | { do: 'pass'; ms: number }

const which = fc.nat({ max: 30 })
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      cost: fc.integer({ min: 1, max: 400 }),
      ttl: fc.boolean(),
      chunk: fc.constantFrom(undefined, 1, 50),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom('charge' as const, 'charge' as const, 'settle' as const),
      which,
      units: fc.integer({ min: 0, max: 150 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('consume' as const), units: fc.integer({ min: 1, max: 100 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('change' as const), limit: fc.integer({ min: 100, max: 2000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'reset' as const,
        'grant' as const,
        'fail' as const,
        'answer' as const,
        'answer' as const,
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 30, 700, 5_000) }),
  },
)

interface History {
  readonly ops: readonly Op[]
  /** When the store answers: at once, or after milliseconds. */
  readonly answers: 'at once' | number
  readonly onStoreError: 'local' | 'closed'
}

const history: fc.Arbitrary<History> = fc.record({
  ops: fc.array(op, { minLength: 5, maxLength: 60 }),
  answers: fc.constantFrom('at once' as const, 0, 20),
  onStoreError: fc.constantFrom('local' as const, 'closed' as const),
})

interface Open {
  readonly call: Reservation
  /** The units that were charged while it ran. */
  charged: number
}

async function play(given: History): Promise<void> {
  try {
    await playIn(newTime(BEGAN), given)
  } finally {
    endTime()
  }
}

async function playIn(time: VirtualTime, { ops, answers, onStoreError }: History): Promise<void> {
  const { Control, QuotaManager, RateLimiter } = core
  const inner = new core.ReferenceStore(() => time.unixMs())
  const store = core.fakeOutage(answers === 'at once' ? inner : answering(inner, answers))
  const warn = (): void => {}
  const control = new Control({ store, warn })
  const limiter = new RateLimiter({
    store,
    policy: day,
    control,
    warn,
    onStoreError,
    instances: 2,
    storeTimeout: '100ms',
  })
  const quotas = new QuotaManager(inner)
  const pass = (ms: number): Promise<void> => time.run(time.now + ms * 1000)
  const pending = new Set<string>()
  const watch = async (name: string, promise: Promise<unknown>): Promise<void> => {
    pending.add(name)
    await promise.catch(() => {})
    pending.delete(name)
  }
  const calls: Open[] = []
  let used = 0
  const take = (at: number): Open | undefined => calls.splice(at % Math.max(1, calls.length), 1)[0]
  for (const [i, each] of ops.entries()) {
    switch (each.do) {
      case 'reserve': {
        const { cost, chunk } = each
        const reserving = limiter.reserve(alice, { cost, chunk, ...(each.ttl ? { ttl: '2s' } : {}) })
        void watch(
          `reserve ${i}`,
          reserving.then(call => call.decision.allowed && calls.push({ call, charged: 0 })),
        )
        break
      }
      case 'charge': {
        const open = calls[each.which % Math.max(1, calls.length)]
        if (open === undefined) break
        void watch(
          `charge ${i}`,
          open.call.charge(each.units).then(paid => (open.charged += paid ? each.units : 0)),
        )
        break
      }
      case 'settle': {
        const open = take(each.which)
        if (open === undefined) break
        used += each.units
        void watch(`settle ${i}`, open.call.settle(each.units))
        break
      }
      case 'cancel': {
        const open = take(each.which)
        if (open !== undefined) void watch(`cancel ${i}`, open.call.cancel())
        break
      }
      case 'consume':
        void watch(
          `consume ${i}`,
          limiter
            .consume(alice, { cost: each.units })
            .then(({ allowed }) => (used += allowed ? each.units : 0)),
        )
        break
      case 'change':
        void watch(`change ${i}`, control.change('day', { limit: each.limit }))
        break
      case 'grant':
        void watch(`grant ${i}`, quotas.grantQuota('42', day, 10))
        break
      case 'reset':
        void watch(`reset ${i}`, limiter.reset(alice))
        break
      case 'fail':
        store.begin('refused')
        break
      case 'answer':
        store.end()
        break
      case 'pass':
        await pass(each.ms)
    }
    await pass(0)
  }
  await pass(200)
  for (const { call, charged } of calls.splice(0)) {
    used += charged
    void watch('last', call.settle(charged))
  }
  store.end()
  // The store is asked once more, so that the process knows that it is back.
  await pass(2_000)
  void watch('probe', limiter.peek(alice))
  await pass(3_000)
  expect([...pending]).toEqual([])
  const { quota } = await quotas.checkQuota('42', day)
  expect([quota.used, quota.held]).toEqual([used, 0])
  void watch('close', limiter.close())
  await pass(1_000)
  expect([...pending]).toEqual([])
  control.close()
}

it('every call ends, and its budget has paid what was used, whatever happens', async () => {
  await fc.assert(fc.asyncProperty(history, play), { numRuns: Number(process.env['RUNS'] ?? 40) })
})
