import { Decision } from '../check/decision.ts'
import { Mode } from '../store/contract.ts'

/** What an admitted request asked of one policy. */
export interface AskedUnits {
  /** Units, without those that earlier guards of the same request took. */
  readonly units: number
  /** Whether the policy counts by calendar periods. */
  readonly isQuota: boolean
  /** The store's clock at the decision: Unix seconds. */
  readonly at: number
}

/**
 * The units that a decision took of a policy. Undefined where it took none: it was refused, repeated by its idempotency key, not
 * counted, or will be charged only once its answer is known.
 */
export function unitsAsked(decision: Decision, policy: string): AskedUnits | undefined {
  const { check, evaluation } = Decision.resultOf(decision) ?? {}
  const at = check?.policies.findIndex(({ name }) => name === policy) ?? -1
  const demand = check?.demands[at]
  if (demand === undefined || !decision.allowed || evaluation?.repeated === true) return undefined
  if (demand.mode === Mode.DEFER || demand.cost === 0) return undefined
  return {
    units: demand.cost,
    isQuota: demand.edges !== undefined,
    at: Decision.instantOf(decision) ?? Date.now() / 1000,
  }
}
