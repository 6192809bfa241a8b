import { isPromise } from '../base/promises.ts'
import { capabilitiesOf } from './capabilities.ts'
import type { Group, Store } from './contract.ts'
import type { Evaluation } from './evaluation.ts'
import { checkEvaluation } from './evaluation-check.ts'

/** Evaluates a group in a store. */
export type Evaluate = (group: Group) => Evaluation | Promise<Evaluation>

/** Makes the function that evaluates groups in a store and checks each evaluation before it is used. */
export function checkedEvaluate(store: Store): Evaluate {
  // perf: bench "limiter.check(request)"; such a store returns what decide() made.
  if (capabilitiesOf(store).isChecked) return group => store.evaluate(group)
  return group => {
    const answer: unknown = store.evaluate(group)
    if (!isPromise(answer)) return checkEvaluation(answer, group)
    return Promise.resolve(answer).then(evaluation => checkEvaluation(evaluation, group))
  }
}
