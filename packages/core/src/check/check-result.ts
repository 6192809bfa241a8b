import type { OnStoreError } from '../policy/policy.ts'
import type { Evaluation } from '../store/contract.ts'
import type { Check } from './check.ts'

/** The answer to a check, whoever gave it: the store, a remembered refusal, or this process in the store's place. */
export interface CheckResult {
  /** The policies and demands that were evaluated. Without the store: those that decide here, with this process's share. */
  readonly check: Check
  readonly evaluation: Evaluation
  /** What decided in the store's place; false where the store decided. */
  readonly degraded: false | OnStoreError
  /** The place, in the check as it was asked, of the policy that refuses because the store is away; -1 when none does. */
  readonly closedPolicy: number
  /** The store's reply that may still arrive; undefined where the store has replied, or was not asked. */
  readonly late: LateReply | undefined
}

/** The result of a check that the store evaluated. */
export function storeResult(check: Check, evaluation: Evaluation): CheckResult {
  return { check, evaluation, degraded: false, closedPolicy: -1, late: undefined }
}

/** A store's reply that may still arrive after its request was decided without it. */
export class LateReply {
  #result: CheckResult | undefined
  #listener: ((result: CheckResult) => void) | undefined

  /** Tells that the store has charged the request after all. */
  deliver(result: CheckResult): void {
    this.#result = result
    this.#listener?.(result)
  }

  /** Calls back when the reply arrives; at once where it has arrived already. */
  onArrival(listener: (result: CheckResult) => void): void {
    this.#listener = listener
    if (this.#result !== undefined) listener(this.#result)
  }
}
