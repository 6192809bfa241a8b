import { type CompiledPolicy, isSamePolicy } from './compiled-policy.ts'
import { type Cost, costFor, type WHOLE_LIMIT } from './cost.ts'
import { Decision } from './decision.ts'
import type { FoundKey, Subject } from './request/identity.ts'

/** What has become of a request at the guards before. */
export interface Earlier {
  /** What the limiter decided of it, the last first. */
  readonly decisions: readonly Decision[]
  /** Whether the store has failed the request already, which waits for it only once. */
  readonly storeFailed: boolean
}

/**
 * The units that a policy has charged a subject for the request; undefined where it has not counted it yet.
 *
 * Whoever has logged in meanwhile is another subject, and a policy of the same name with another limit another policy.
 */
export function paidBy(policy: CompiledPolicy, subject: Subject, { decisions }: Earlier): number | undefined {
  let paid: number | undefined
  for (const decision of decisions) {
    const { grounds, charged } = Decision.receiptOf(decision) ?? {}
    if (grounds === undefined || charged === undefined) continue
    const { question, verdict } = grounds
    const at = question.policies.findIndex(other => isSamePolicy(other, policy))
    const demand = question.demands[at]
    if (demand?.subject === subject && verdict.passes[at] === true) paid = (paid ?? 0) + demand.cost
  }
  return paid
}

/** Whether guards before have charged all that policies ask of a request. */
export function isPaid(
  policies: readonly CompiledPolicy[],
  keys: readonly FoundKey[],
  cost: Cost | typeof WHOLE_LIMIT | undefined,
  earlier: Earlier,
): boolean {
  return policies.every(
    (policy, i) => (paidBy(policy, (keys[i] as FoundKey).subject, earlier) ?? -1) >= costFor(policy, cost),
  )
}
