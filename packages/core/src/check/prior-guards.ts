import type { Rule } from '../algorithms/index.ts'
import { Decision } from './decision.ts'
import { isSameRule } from '../policy/rule-compiler.ts'
import type { Check } from './check.ts'
import type { Subject } from '../request/subject.ts'
import { type ActualCharge, chargeAt } from './correction.ts'
import { type Demand, Mode } from '../store/contract.ts'

/** What has become of a request at the guards before. */
export interface PriorGuards {
  /** What the limiter decided of it, the last first. */
  readonly decisions: readonly Decision[]
  /** Whether the store has failed the request already, which waits for it only once. */
  readonly storeFailed: boolean
}

/**
 * The units of a counter that the request has been charged so far; undefined where that counter has not counted it yet.
 *
 * By the counter, whatever the policies are called: whoever has logged in meanwhile has another.
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

/** Whether guards before have asked, and charged, all that a question asks: by the same limits. */
export function isPaid({ policies, demands, extras }: Check, priorGuards: PriorGuards): boolean {
  const charges = chargesOf(priorGuards)
  return policies.every((_, i) => {
    const demand = demands[i] as Demand
    // What is held is judged by all that it costs.
    const rest = demand.mode === Mode.HOLD ? demand.cost - (extras?.[i]?.paid ?? 0) : demand.cost
    return rest <= 0 && charges.some(charge => hasAsked(charge, demand))
  })
}

function hasAsked(charge: ActualCharge, { subject, rule }: Demand): boolean {
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
