import { freshAt } from '../algorithms/index.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { OnStoreError } from '../policy/policy.ts'
import type { Demand } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt } from '../store/reading.ts'
import type { Check } from './check.ts'

/** The result of a check. It comes from the store, from a remembered refusal, or from the local fallback. */
export interface CheckResult {
  /**
   * The check that was evaluated. Without the store it holds only the policies that decide locally, with this process's
   * share.
   */
  readonly check: Check
  readonly evaluation: Evaluation
  /** The `onStoreError` mode that decided instead of the store; false when the store decided. */
  readonly degraded: false | OnStoreError
  /** The index, in the original check, of the policy that refuses where `degraded` is `"closed"`. Elsewhere it means nothing. */
  readonly closedPolicy: number
  /** The store's reply that may still arrive, or was lost. Undefined when the store has replied or has certainly applied nothing. */
  readonly late: LateReply | undefined
}

/** The result of a check that the store evaluated. */
export function storeResult(check: Check, evaluation: Evaluation): CheckResult {
  return {
    check: grantedBy(evaluation, check),
    evaluation,
    degraded: false,
    closedPolicy: -1,
    late: undefined,
  }
}

/** The check whose demands cost what an evaluation granted. */
export function grantedBy({ grants }: Evaluation, check: Check): Check {
  if (grants === undefined) return check
  const granted = (demand: Demand, i: number): Demand => ({ ...demand, cost: grants[i] ?? demand.cost })
  return { ...check, demands: check.demands.map(granted) }
}

/** The store's reply to a request that was decided locally, though the store may have charged it. */
export class LateReply {
  /** Whether it may still arrive. Otherwise nobody will ever know whether the store charged the request. */
  readonly mayArrive: boolean
  #result: CheckResult | undefined
  #listener: ((result: CheckResult) => void) | undefined
  #complete: ((result: CheckResult) => CheckResult) | undefined

  constructor(mayArrive: boolean) {
    this.mayArrive = mayArrive
  }

  /** Delivers the result: the store charged the request after all. */
  deliver(result: CheckResult): void {
    this.#result = this.#complete?.(result) ?? result
    this.#listener?.(this.#result)
  }

  /** Makes the result of the whole check out of the store's, which was asked for only a part of it. */
  completeBy(complete: (result: CheckResult) => CheckResult): void {
    this.#complete = complete
  }

  /** Calls back when the reply arrives, or at once when it has already arrived. */
  onArrival(listener: (result: CheckResult) => void): void {
    this.#listener = listener
    if (this.#result !== undefined) listener(this.#result)
  }
}

/** Whether a counter of this policy has a charge or a cool-down. */
export function hasCounter(policy: CompiledPolicy, result: CheckResult | undefined): boolean {
  const at = result?.check.policies.indexOf(policy) ?? -1
  if (result === undefined || at < 0) return false
  const { check, evaluation } = result
  const counters = [at, check.extras?.[at]?.at.flight].filter(index => index !== undefined)
  return counters.some(index => {
    const state = evaluation.states[index] ?? []
    const { rule } = check.demands[index]!
    return state.length > 0 && freshAt(state, rule) > evaluationAt(evaluation, index).now
  })
}
