import { checkInstant } from '../store/evaluation-check.ts'

/**
 * Makes a clock of whole microseconds that never goes back from a clock of milliseconds. It rejects with a `StoreMisread` if
 * that clock does not return an instant.
 */
export function microsecondClock(clock: () => number | Promise<number>): () => Promise<number> {
  let last = 0
  return async () => {
    const now = Math.floor(checkInstant(await clock()) * 1000)
    if (now > last) last = now
    return last
  }
}

/** Makes a store's `clock()` from a clock that may return a promise. It returns undefined for a promise. */
export function synchronousClock(clock: () => number | Promise<number>): () => number | undefined {
  let isAsync = false
  return () => {
    if (isAsync) return undefined
    const now = clock()
    if (typeof now === 'number') return now
    isAsync = true
    // Nobody waits for this promise, so its rejection is handled here.
    now.catch(() => {})
    return undefined
  }
}
