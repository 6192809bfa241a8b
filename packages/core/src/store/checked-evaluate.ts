import { isPromise } from '../base/promises.ts'
import { capabilitiesOf } from './capabilities.ts'
import type { Group, Store } from './contract.ts'
import type { Evaluation } from './evaluation.ts'
import { checkEvaluation } from './evaluation-check.ts'
import { plainGroup } from './plain-data.ts'

/** Evaluates a group in a store. */
export type Evaluate = (group: Group) => Evaluation | Promise<Evaluation>

/** Asks a store about a group, and passes its answer on; undefined if there is none. */
export type AskStore = (group: Group, heard: (evaluation: Evaluation | undefined) => void) => void

/** Hears an answer of a store about a group that has a quota, also one that comes after the deadline. `ask` asks the store again. */
export type OnAnswer = (group: Group, evaluation: Evaluation, ask: AskStore) => void

/**
 * Makes the function that evaluates groups in a store and checks each evaluation before it is used.
 *
 * @param heard called with each answer about a group that has a quota
 */
export function checkedEvaluate(
  store: Store,
  heard?: (group: Group, evaluation: Evaluation) => void,
): Evaluate {
  // perf: bench "limiter.check(request)"; such a store returns what decide() made.
  const { isChecked } = capabilitiesOf(store)
  const receive = (given: unknown, group: Group): Evaluation => {
    const evaluation = isChecked ? (given as Evaluation) : checkEvaluation(given, group)
    if (heard !== undefined && hasQuota(group)) heard(group, evaluation)
    return evaluation
  }
  // A check also has the policies behind its demands, which a store in another process would send along.
  const plain = store.isSynchronous === true ? (group: Group): Group => group : plainGroup
  return group => {
    const answer: unknown = store.evaluate(plain(group))
    return isPromise(answer)
      ? Promise.resolve(answer).then(given => receive(given, group))
      : receive(answer, group)
  }
}

function hasQuota({ demands }: Group): boolean {
  for (let i = 0; i < demands.length; i++) if (demands[i]?.edges !== undefined) return true
  return false
}
