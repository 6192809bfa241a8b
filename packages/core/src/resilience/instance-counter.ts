import { describe } from '../base/errors.ts'
import type { Warn } from '../base/warnings.ts'
import { capabilitiesOf } from '../store/capabilities.ts'
import type { Store } from '../store/contract.ts'

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
