// Whatever happens to calls that hold units of a budget: each of them ends, and the budget has paid exactly what was used.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'

import type { Quota, Reservation } from '@halt/core'
import { endTime, newTime, ORIGIN, unloadCore } from '../../../core/test/line/virtual-core.ts'
import { type ControlledCore, loadControlled } from '../line/virtual-control.ts'
import type { VirtualTime } from '../../../core/test/line/virtual-time.ts'
import { withBudget } from '../../../core/test/calls/budget-world.ts'
import { answering } from '../../../core/test/waiting/answering.ts'

// What is decided without the store goes by the time since the process began.
const BEGAN = ORIGIN
const day: Quota = { name: 'day', limit: 1000, period: 'daily', anchor: new Date(BEGAN - 60_000) }
const alice = { user: '42' }

let core: ControlledCore
beforeAll(async () => void (core = await loadControlled()))
afterAll(unloadCore)

type Op =
  | { do: 'reserve'; at: number; cost: number; ttl: boolean; chunk: number | undefined }
  | { do: 'charge' | 'settle'; which: number; units: number }
  | { do: 'cancel'; which: number }
  | { do: 'consume'; at: number; units: number }
  | { do: 'change'; limit: number }
  | { do: 'fail' | 'slow' | 'answer'; at: number }
  | { do: 'reset' | 'grant' }
  | { do: 'pass'; ms: number }

const which = fc.nat({ max: 30 })
/** One of the two processes. */
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
    arbitrary: fc.record({
      do: fc.constant('consume' as const),
      at,
      units: fc.integer({ min: 1, max: 100 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('change' as const), limit: fc.integer({ min: 100, max: 2000 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('fail' as const, 'slow' as const, 'answer' as const, 'answer' as const),
      at,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('reset' as const, 'grant' as const) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 1, 30, 120, 700, 5_000),
    }),
  },
)

interface History {
  readonly ops: readonly Op[]
  /** When the store answers: at once, or after milliseconds. */
  readonly answers: 'at once' | number
  readonly onStoreError: 'local' | 'closed'
  /** Whether the budget has room for everything. A process that did not hear a refusal in time may let a call pass. */
  readonly isAmple: boolean
}

const history: fc.Arbitrary<History> = fc.record({
  ops: fc.array(op, { minLength: 5, maxLength: 60 }),
  answers: fc.constantFrom('at once' as const, 0, 20),
  onStoreError: fc.constantFrom('local' as const, 'closed' as const),
  isAmple: fc.boolean(),
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

async function playIn(time: VirtualTime, { ops, answers, onStoreError, isAmple }: History): Promise<void> {
  const { Control, QuotaManager, RateLimiter } = core
  const inner = new core.ReferenceStore(() => time.unixMs())
  const warn = (): void => {}
  const policy = isAmple ? { ...day, limit: 1e9 } : day
  const processes = [0, 1].map(() => {
    const store = core.fakeOutage(answers === 'at once' ? inner : answering(inner, answers))
    const control = new Control({ store, warn })
    const limiter = new RateLimiter({
      store,
      policy,
      control,
      warn,
      onStoreError,
      instances: 2,
      storeTimeout: '100ms',
    })
    return { store, control, limiter }
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
  const take = (which: number): Open | undefined => calls.splice(which % Math.max(1, calls.length), 1)[0]
  const play = async (each: Op, i: number): Promise<unknown> => {
    const { store, control, limiter } = processes['at' in each ? each.at : 0] as (typeof processes)[number]
    switch (each.do) {
      case 'reserve': {
        const { cost, chunk } = each
        const call = await limiter.reserve(alice, { cost, chunk, ...(each.ttl ? { ttl: '2s' } : {}) })
        return call.decision.allowed && calls.push({ call, charged: 0 })
      }
      case 'charge': {
        const open = calls[each.which % Math.max(1, calls.length)]
        if (await open?.call.charge(each.units)) open!.charged += each.units
        return
      }
      case 'settle': {
        const open = take(each.which)
        if (open !== undefined) used += each.units
        return open?.call.settle(each.units)
      }
      case 'cancel':
        return take(each.which)?.call.cancel()
      case 'consume': {
        const { allowed } = await limiter.consume(alice, { cost: each.units })
        return (used += allowed ? each.units : 0)
      }
      case 'change':
        return control.change('day', { limit: isAmple ? each.limit * 1e6 : each.limit })
      case 'grant':
        return quotas.grantQuota('42', day, 10, { idempotencyKey: String(i) })
      case 'reset':
        return limiter.reset(alice)
      case 'fail':
        return store.begin('refused')
      case 'slow':
        return store.begin(isAmple ? { slow: '300ms' } : 'refused')
      case 'answer':
        return store.end()
      case 'pass':
    }
  }
  for (const [i, each] of ops.entries()) {
    void watch(`${each.do} ${i}`, play(each, i))
    await pass(each.do === 'pass' ? each.ms : 0)
  }
  await pass(500)
  for (const { call, charged } of calls.splice(0)) {
    used += charged
    void watch('last', call.settle(charged))
  }
  await pass(500)
  for (const { store } of processes) store.end()
  // The store is asked once more, so that the processes know that it is back.
  await pass(2_000)
  for (const { limiter } of processes) void watch('probe', limiter.peek(alice))
  await pass(3_000)
  expect([...pending]).toEqual([])
  const { quota } = await quotas.checkQuota('42', day)
  expect([quota.used, quota.held]).toEqual([used, 0])
  for (const { limiter } of processes) void watch('close', limiter.close())
  await pass(1_000)
  expect([...pending]).toEqual([])
  for (const { control } of processes) control.close()
}

it('every call ends, and its budget has paid for its use, whatever happens', async () => {
  await fc.assert(fc.asyncProperty(history, play), { numRuns: Number(process.env['RUNS'] ?? 40) })
})

it('units that have ended are held again only within the limit that an operator has set since', () =>
  withBudget(core, async ({ store, limiter, control, soon, pass, useUp, recover, read }) => {
    const call = await soon(limiter.reserve(alice, { cost: 400, ttl: '3s' }))
    store.begin('refused')
    await pass(5000)
    await useUp(450)
    store.end()
    await soon(control!.change('day', { limit: 500 }), 100)
    await recover()
    expect([await read(), call.signal.aborted]).toEqual([[450, 0], true])
  }))
