const { timeOrigin } = performance
const elapsed = performance.now.bind(performance)

/** The time in whole microseconds since the Unix epoch, by a clock of this process that never goes back. */
export function nowMicros(): number {
  return Math.floor((timeOrigin + elapsed()) * 1000)
}
