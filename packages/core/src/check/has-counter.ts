import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { freshAt } from '../store/cooldown.ts'
import { evaluationAt } from '../store/reading.ts'
import type { CheckResult } from './check-result.ts'

/** Whether a counter of this policy has a charge or a cool-down. */
export function hasCounter(policy: CompiledPolicy, result: CheckResult | undefined): boolean {
  const at = result?.check.policies.indexOf(policy) ?? -1
  if (result === undefined || at < 0) return false
  const { check, evaluation } = result
  const indexes = [at, check.extras?.[at]?.inFlight ?? -1]
  return indexes.some(index => {
    const [demand, state] = [check.demands[index], evaluation.states[index] ?? []]
    return (
      demand !== undefined &&
      state.length > 0 &&
      freshAt(state, demand.rule) > evaluationAt(evaluation, index).now
    )
  })
}
