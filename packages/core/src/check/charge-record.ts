import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Cost } from '../policy/cost.ts'
import type { ChargeAnswer } from '../store/admitted.ts'
import { type Group, Mode } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { type CheckResult, storeResult } from './check-result.ts'
import { plainCheck } from './check.ts'
import type { OpenCall } from './holding.ts'
import type { PolicyVerdict } from './verdict-reader.ts'

/** A correction that the store has made, and the store's evaluation of it. */
export interface AppliedCorrection {
  readonly group: Group
  readonly evaluation: Evaluation
}

/** The cost to which a charge is corrected. While it is `begun`, it waits for what is under way, and the store was not told of it. */
type Settlement = { readonly kind: 'none' } | { readonly kind: 'begun' | 'made'; readonly to: Cost }

/** The facts of a charge that nothing has corrected. */
export const UNCORRECTED: Pick<ChargeRecord, 'settlement' | 'answer' | 'cost' | 'flight'> = Object.freeze({
  settlement: { kind: 'none' } as const,
  answer: 'none',
  cost: 'open',
  flight: 'running',
})

/** The record of a decision's charge, so that the limiter can correct it. Only the limiter can read it. */
export interface ChargeRecord {
  settlement: Settlement
  /** Whether the request counts: the application has said nothing, `chargeWhen` was asked and has not answered, or it has said. */
  answer: 'none' | 'awaited' | 'given'
  /** A held cost is open until it was charged or dropped, and its permit ended. */
  cost: 'open' | 'decided'
  /** The request in flight. */
  flight: 'running' | 'ended'
  /** The correction that decides the charge, while the store has not answered it. */
  correcting: Promise<unknown> | undefined
  /** The correction that charged a held cost. */
  taken: AppliedCorrection | undefined
  /** The call that was reserved with the charge; undefined if none was, or before it was made. */
  open: OpenCall | undefined
  /** Undefined when no counter decided. */
  result: CheckResult | undefined
  /**
   * Where the charge is recorded: in the store, in the local fallback, or unknown because the store timed out. Undefined when
   * nothing was charged.
   */
  recordedIn: 'store' | 'local' | 'unknown' | undefined
}

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
