import { describe } from '../base/describe.ts'
import type { Warn } from '../base/warnings.ts'
import { capabilitiesOf } from '../store/capabilities.ts'
import type { Group, Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { checkEvaluation } from '../store/evaluation-check.ts'
import { isPromise } from '../base/promises.ts'

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

/**
 * Makes the function that counts the processes that share a store: a whole number from 1. After a bad answer it repeats the
 * last good one.
 */
export function instanceCounter(store: Store, warn: Warn): () => number {
  const { instances } = capabilitiesOf(store)
  let count = 1
  return () => {
    let answer: unknown
    try {
      answer = instances()
    } catch (error) {
      answer = error
    }
    if (typeof answer === 'number' && Number.isSafeInteger(answer) && answer >= 1) count = answer
    else
      warn({
        code: 'HALT_W_STORE_SCRIPT',
        message: `instances() of the store gave ${describe(answer)}, which is not a number of processes.`,
        fix: 'Return a whole number from 1, or give the limiter instances: 4.',
      })
    return count
  }
}
