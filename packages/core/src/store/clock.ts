/** Makes a clock of whole microseconds that never goes back from one of milliseconds. */
export function microsecondClock(clock: () => number | Promise<number>): () => Promise<number> {
  let last = 0
  return async () => {
    const now = Math.floor((await clock()) * 1000)
    if (now > last) last = now
    return last
  }
}
