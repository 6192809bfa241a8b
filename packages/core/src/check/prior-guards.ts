import type { Rule } from '../algorithms/index.ts'
import { Decision } from './decision.ts'
import { isSameRule } from '../policy/rule-compiler.ts'
import type { Check } from './check.ts'
import type { ChargeRecord } from './charge-record.ts'
import type { CheckResult } from './check-result.ts'
import { countsRepeats } from '../store/beside-demands.ts'
import type { Subject } from '../request/identity.ts'
import { type ActualCharge, chargeAt } from './settlement.ts'
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
  for (const { demand, units } of chargedBy(priorGuards))
    if (demand.rule.counter === counter && demand.subject === subject) paid = (paid ?? 0) + units
  return paid
}

/** True if earlier guards already charged every policy of this check, under the same limits. */
export function isPaid({ policies, demands, extras }: Check, priorGuards: PriorGuards): boolean {
  const charged = chargedBy(priorGuards)
  return policies.every((_, i) => {
    const demand = demands[i] as Demand
    // A held demand is judged at its full cost.
    const rest = demand.mode === Mode.DEFER ? demand.cost - (extras?.[i]?.paid ?? 0) : demand.cost
    const isSame = (other: Demand): boolean =>
      other.subject === demand.subject && isSameRule(other.rule, demand.rule)
    return rest <= 0 && charged.some(one => isSame(one.demand))
  })
}

/** A demand of an earlier guard, and the units that it was charged. */
interface Charged {
  readonly demand: Demand
  readonly units: number
}

function chargedBy({ decisions }: PriorGuards): Charged[] {
  return decisions.flatMap(decision => {
    const record = Decision.recordOf(decision)
    return (record?.result?.check.demands ?? []).flatMap((demand, at): Charged[] => {
      const units = unitsOf(record as ChargeRecord, demand, at)
      return units === undefined ? [] : [{ demand, units }]
    })
  })
}

/** The units that a demand was charged: at this call, or, if its idempotency key was seen before, at the first one. */
function unitsOf(record: ChargeRecord, demand: Demand, at: number): number | undefined {
  const { allowed, repeated } = (record.result as CheckResult).evaluation
  if (allowed && repeated && !countsRepeats(demand.rule)) return demand.cost
  return record.recordedIn === undefined ? undefined : chargeAt(record as ActualCharge, at)
}
