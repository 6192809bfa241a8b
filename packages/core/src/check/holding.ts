import { algorithmOf, type HeldUnits, type State } from '../algorithms/index.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Demand } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt } from '../store/reading.ts'
import type { CheckResult } from './check-result.ts'
import { demandsAt } from './check.ts'

/** What a call that is under way holds of one quota's counter, and what it has paid there. */
export interface Holding {
  readonly policy: CompiledPolicy
  /** The index of its demand in the check of the call. */
  at: number
  /** The demand that reserved the units. */
  demand: Demand
  /**
   * Units that the call holds and has not used. The call claims only what it holds for certain, because a claim beyond that would
   * take what other calls hold.
   */
  held: number
  /** The instant at which they end in the store, in microseconds. 0 if it is not known: then they cannot be claimed. */
  to: number
  /** Units that the call has charged. It charges them before it uses them. */
  paid: number
  /** Units that the call has used. */
  used: number
  /** The part of the counter that the last units were charged to. */
  part: number
  /** How many of the paid units were charged to that part of the store's counter, so that they can be given back. */
  inPart: number
  /** How many of those the reservation itself has charged. */
  reservedInPart: number
  /** Units that were paid and not used, and could not be given back when the call ended, because the store had not told of them. */
  owed: number
}

/** A call that is under way, as its charge record knows it. */
export interface OpenCall {
  readonly holdings: readonly Holding[]
  /** Takes over what the store reserved, because it answered late. */
  adopt(result: CheckResult): void
  /**
   * Ends the call: it charges nothing any more, and its units are held no longer. Returns a promise if something of it is still
   * under way, which resolves when it is over.
   */
  end(): Promise<unknown> | undefined
}

/**
 * What a call has reserved of quotas: units that it holds, or that were charged at once.
 *
 * @param isStored whether the store has decided, and not this process in its place
 */
export function holdingsOf({ check, evaluation }: CheckResult, isStored: boolean): Holding[] {
  return check.policies.flatMap((policy, own) => {
    if (policy.calendar === undefined) return []
    return demandsAt(check, own).flatMap((at): Holding[] => {
      const demand = check.demands[at]
      // A policy that only reports, and would have refused, counts nothing.
      if (demand === undefined || evaluation.passes[at] !== true) return []
      const to = endOf(demand, evaluation.states[at] ?? [], evaluationAt(evaluation, at).now)
      const common = { policy, at, demand, used: 0, part: 0, inPart: 0, reservedInPart: 0, owed: 0 }
      if (isStored && to > 0) return [{ ...common, held: demand.cost, to, paid: 0 }]
      const charged: Holding = { ...common, held: 0, to: 0, paid: 0 }
      notePayment(charged, demand.cost, evaluation, at)
      return [{ ...charged, reservedInPart: demand.cost }]
    })
  })
}

/** The units that a call may claim of what it holds. */
export function claimOf({ held, to }: Holding): HeldUnits | undefined {
  return held > 0 && to > 0 ? { to, units: held } : undefined
}

/**
 * Lets a holding stand for what the store has reserved, and no longer for what this process had charged in its place. What the call
 * has paid since then stays paid.
 */
export function takeOver(own: Holding, stored: Holding): Holding {
  const since = own.paid - own.demand.cost
  // Not all of it may be known to be charged.
  const inPart = own.inPart - own.reservedInPart
  const isLatest = inPart === 0 || own.part === stored.part
  const part = isLatest && stored.paid > 0 ? stored.part : own.part
  return Object.assign(own, {
    ...stored,
    used: own.used,
    paid: since + stored.paid,
    part,
    inPart: inPart + (isLatest ? stored.inPart : 0),
    reservedInPart: isLatest ? stored.reservedInPart : 0,
  })
}

/** Notes units that the store has charged for a call. @param at the index of the counter in the evaluation */
export function notePayment(holding: Holding, units: number, whole: Evaluation, at: number): void {
  const { rule } = holding.demand
  const { states, now } = evaluationAt(whole, at)
  const part = algorithmOf(rule).chargedTo(states[at] ?? [], now, rule)
  const isSame = part === holding.part
  holding.inPart = isSame ? holding.inPart + units : units
  if (!isSame) holding.reservedInPart = 0
  holding.part = part
  holding.paid += units
}

/** The instant at which the units of a demand end that the store has held at `now`; 0 if they are charged at once. */
function endOf({ terms, rule }: Demand, state: State, now: number): number {
  return terms?.keptFor === undefined ? 0 : (algorithmOf(rule).holds?.end(state, now, terms.keptFor) ?? 0)
}
