import type { Rule } from '../algorithms/index.ts'
import { Decision } from './decision.ts'
import { isSameRule } from '../policy/rule-compiler.ts'
import type { Check } from './check.ts'
import type { Subject } from '../request/subject.ts'
import { type ActualCharge, chargeAt } from './correction.ts'
import { type Demand, Mode } from '../store/contract.ts'

/** The decisions of earlier guards for a request. */
export interface PriorGuards {
  /** The decisions of this limiter, the latest first. */
  readonly decisions: readonly Decision[]
  /** Whether the store already failed for this request. A request waits for the store only once. */
  readonly storeFailed: boolean
}

/**
 * The units of a counter that earlier guards charged for this request; undefined when that counter has not counted it yet.
 *
 * Matched by counter, not by policy name. A client that logged in between two guards has a different counter.
 */
export function paidOn({ counter }: Rule, subject: Subject, priorGuards: PriorGuards): number | undefined {
  let paid: number | undefined
  for (const charge of chargesOf(priorGuards)) {
    const { demands } = charge.result.check
    for (const [at, demand] of demands.entries()) {
      if (demand.rule.counter !== counter || demand.subject !== subject) continue
      const charged = chargeAt(charge, at)
      if (charged !== undefined) paid = (paid ?? 0) + charged
    }
  }
  return paid
}

/** True if earlier guards already charged every policy of this check, under the same limits. */
export function isPaid({ policies, demands, extras }: Check, priorGuards: PriorGuards): boolean {
  const charges = chargesOf(priorGuards)
  return policies.every((_, i) => {
    const demand = demands[i] as Demand
    // A held demand is judged at its full cost.
    const rest = demand.mode === Mode.HOLD ? demand.cost - (extras?.[i]?.paid ?? 0) : demand.cost
    return rest <= 0 && charges.some(charge => isChargedBy(charge, demand))
  })
}

function isChargedBy(charge: ActualCharge, { subject, rule }: Demand): boolean {
  return charge.result.check.demands.some(
    (other, at) =>
      other.subject === subject && isSameRule(other.rule, rule) && chargeAt(charge, at) !== undefined,
  )
}

function chargesOf({ decisions }: PriorGuards): ActualCharge[] {
  return decisions
    .map(decision => Decision.recordOf(decision))
    .filter(
      (record): record is ActualCharge => record?.recordedIn !== undefined && record.result !== undefined,
    )
}
