/** Gives Unix milliseconds, fractions allowed. */
export type Clock = () => number

// Wall time when the process began, advanced by the monotonic clock: a jump of the wall clock frees and locks nobody.
const monotonic: Clock = () => performance.timeOrigin + performance.now()

/** Makes a clock of whole microseconds that never goes back, whatever `clock` does. */
export function microseconds(clock: Clock = monotonic): () => number {
  let last = 0
  return () => {
    const now = Math.floor(clock() * 1000)
    // Also false for NaN: a clock that breaks stands still.
    if (now > last) last = now
    return last
  }
}
