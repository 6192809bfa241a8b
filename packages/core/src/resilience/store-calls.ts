import { describe } from '../base/describe.ts'
import type { Warn } from '../base/warnings.ts'
import type { Group, Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { checkEvaluation } from '../store/evaluation-check.ts'
import { isPromise } from '../base/promises.ts'

/** Evaluates a group in a store. */
export type Evaluate = (group: Group) => Evaluation | Promise<Evaluation>

/** Makes the function that evaluates groups in a store and checks each evaluation before it is used. */
export function checkedEvaluate(store: Store): Evaluate {
  // perf: bench "limiter.check(request)"; such a store returns what decide() made.
  if (store.isChecked === true) return group => store.evaluate(group)
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
  let count = 1
  return () => {
    let answer: unknown
    try {
      answer = store.instances === undefined ? 1 : store.instances()
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

/**
 * Makes the test whether a store's `charge` may be called in place of its `evaluate`: it has one, and nobody has replaced or
 * wrapped the `evaluate` that belongs to it, as a subclass, a proxy or a spy does.
 */
export function chargesAlone(store: Store): () => boolean {
  let owner: object | null = store
  while (owner !== null && !Object.hasOwn(owner, 'charge'))
    owner = Object.getPrototypeOf(owner) as object | null
  if (store.isChecked !== true || owner === null || !Object.hasOwn(owner, 'evaluate')) return () => false
  const given = store as Methods
  const own = methodsOf(owner as Methods)
  return () => given.evaluate === own.evaluate && given.charge === own.charge
}

/** The two methods as values, which are only compared. */
interface Methods {
  readonly evaluate: unknown
  readonly charge?: unknown
}

function methodsOf({ evaluate, charge }: Methods): Methods {
  return { evaluate, charge }
}
