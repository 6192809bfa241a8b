import { readClock } from '@halt/core/counters'

/** Returns Unix milliseconds, fractions allowed. */
export type Clock = () => number

// Wall time at the start of the process, advanced by the monotonic clock, so that a jump of the wall clock frees and locks
// nobody. Bound once, because on Node the global `performance` is a getter, which costs as much as the reading.
const { timeOrigin } = performance
const elapsed = performance.now.bind(performance)
const monotonic: Clock = () => timeOrigin + elapsed()

/** Makes a clock of whole microseconds that never goes back, even if `clock` does. */
export function microseconds(clock: Clock = monotonic): () => number {
  let last = 0
  return () => {
    // A broken clock stands still.
    const now = readClock(clock) ?? last
    if (now > last) last = now
    return last
  }
}
