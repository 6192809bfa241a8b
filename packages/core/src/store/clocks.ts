import { checkInstant } from './evaluation-check.ts'

/** Makes a clock of whole microseconds that never goes back from one of milliseconds. Rejects where that gives no instant. */
export function microsecondClock(clock: () => number | Promise<number>): () => Promise<number> {
  let last = 0
  return async () => {
    const now = Math.floor(checkInstant(await clock()) * 1000)
    if (now > last) last = now
    return last
  }
}

/** Makes a store's `clock()` of a clock that may have to be asked: it tells only what comes at once. */
export function toldAtOnce(clock: () => number | Promise<number>): () => number | undefined {
  let isSlow = false
  return () => {
    if (isSlow) return undefined
    const now = clock()
    if (typeof now === 'number') return now
    isSlow = true
    // Nobody waits for it; what it may reject with is heard here.
    now.catch(() => {})
    return undefined
  }
}
