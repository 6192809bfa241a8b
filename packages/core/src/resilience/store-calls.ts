import { describe } from '../base/describe.ts'
import type { Warn } from '../base/warnings.ts'
import type { Group, Store, Evaluation } from '../store/contract.ts'
import { checkEvaluation } from '../store/evaluation-check.ts'
import { isPromise } from '../base/promises.ts'

/** Asks a store for a verdict. */
export type Evaluate = (group: Group) => Evaluation | Promise<Evaluation>

/** Makes what asks a store, and believes none of its verdicts unchecked. */
export function evaluating(store: Store): Evaluate {
  // perf: bench "memory, one policy"; such a store hands on what decide() made.
  if (store.isChecked === true) return group => store.evaluate(group)
  return group => {
    const answer: unknown = store.evaluate(group)
    if (!isPromise(answer)) return checkEvaluation(answer, group)
    return Promise.resolve(answer).then(evaluation => checkEvaluation(evaluation, group))
  }
}

/** Makes what counts the processes that share a store: whole, at least this one, else what was counted last. */
export function counting(store: Store, warn: Warn): () => number {
  let count = 1
  return () => {
    let told: unknown
    try {
      told = store.instances === undefined ? 1 : store.instances()
    } catch (error) {
      told = error
    }
    if (typeof told === 'number' && Number.isSafeInteger(told) && told >= 1) count = told
    else
      warn({
        code: 'HALT_W_STORE_SCRIPT',
        message: `instances() of the store gave ${describe(told)}, which is no number of processes.`,
        fix: 'Return a whole number from 1, or give the limiter instances: 4.',
      })
    return count
  }
}
