import { type Check, partOf } from '../check/check.ts'
import type { Demand } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import type { State } from '../algorithms/index.ts'
import type { Batch, Lease } from './lease.ts'

/** The units that one demand of a check took from a lease. */
export interface Spent {
  /** The demand's index. */
  readonly at: number
  readonly cost: number
  readonly lease: Lease
  readonly batch: Batch
}

/** The counters of the demands that leases paid, by the demands' indexes: the state of each, and its instant by the store's clock. */
type PaidPart = ReadonlyMap<number, { readonly state: State; readonly instant: number }>

/** The part of a check that the leases paid, at an instant of this process's clock in microseconds. */
export function paidPart(spent: readonly Spent[], now: number): PaidPart {
  return new Map(
    spent.map(({ at, lease }) => [at, { state: lease.stateAt(now), instant: lease.storeNow(now) }]),
  )
}

/** Whether a lease may pay a demand: a charge without more, whose rule no penalty can replace. Peeks do not come here. */
export function mayBePaid({ demands, extras, idempotency }: Check, at: number): boolean {
  const { terms, penalized, cost } = demands[at] as Demand
  if (cost === 0 || penalized || terms !== undefined) return false
  return idempotency === undefined && extras?.[at] === undefined
}

/** The part of a check that the leases have not paid. */
export function unpaidPart(check: Check, spent: readonly Spent[]): Check {
  const paid = new Set(spent.map(({ at }) => at))
  const rest = check.policies.flatMap((_, i) => (paid.has(i) ? [] : [i]))
  return { ...partOf(check, rest), penalty: check.penalty, idempotency: undefined }
}

/** The evaluation of a check that leases paid whole. */
export function paidEvaluation(check: Check, paid: PaidPart): Evaluation {
  const instants = check.demands.map((_, i) => paid.get(i)!.instant)
  return {
    now: Math.max(...instants),
    allowed: true,
    repeated: false,
    passes: check.demands.map(() => true),
    starts: [],
    states: check.demands.map((_, i) => paid.get(i)!.state),
    instants,
    penalty: [],
  }
}

/** The evaluation of a check of which leases paid a part, and the store decided the rest. */
export function partlyPaidEvaluation(check: Check, paid: PaidPart, rest: Evaluation): Evaluation {
  const { allowed, repeated, penalty, startsIn, starts } = rest
  // The indexes of the rest's demands, in the order of the whole check. The rest's extra demands follow its own, as here.
  let next = 0
  const places = check.demands.map((_, i) => (paid.has(i) ? -1 : next++))
  const each = <T>(own: (at: number) => T, other: (at: number) => T): T[] =>
    places.map((at, i) => (at < 0 ? own(i) : other(at)))
  return {
    now: rest.now,
    allowed,
    repeated,
    penalty,
    startsIn,
    passes: each(
      () => true,
      at => rest.passes[at] === true,
    ),
    starts:
      starts.length === 0
        ? starts
        : each(
            () => false,
            at => starts[at] === true,
          ),
    states: each(
      at => paid.get(at)!.state,
      at => rest.states[at] ?? [],
    ),
    instants: each(
      at => paid.get(at)!.instant,
      at => rest.instants?.[at] ?? rest.now,
    ),
  }
}
