import { plainCheck } from './check.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { Mode } from '../store/contract.ts'
import type { ChargeAnswer } from '../store/admitted.ts'
import type { ChargeRecord } from './charge-record.ts'
import { type CheckResult, storeResult } from './check-result.ts'
import type { PolicyVerdict } from './policy-verdict.ts'

/**
 * The source of a decision. Usually it is the result of the check. For a counter that was charged without a check it is the
 * policies. When no counter decided it is the store's clock, in Unix seconds.
 */
export type DecisionSource = CheckResult | readonly CompiledPolicy[] | number

/** The parts of a decision that few readers want. */
export interface DecisionDetails {
  readonly result: CheckResult | undefined
  verdicts: readonly PolicyVerdict[] | undefined
  record: ChargeRecord | undefined
}

/** The result of the check that would have charged a counter alone. */
export function checkOfCharge(
  policies: readonly CompiledPolicy[],
  charge: ChargeAnswer,
  subject: string,
  cost: number,
): CheckResult {
  const demand = { rule: charge.rule, subject, cost, mode: Mode.CHARGE, edges: undefined, penalized: false }
  return storeResult(plainCheck(policies, [demand]), charge)
}
