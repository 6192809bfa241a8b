const { timeOrigin } = performance
const elapsed = performance.now.bind(performance)

/** This process's clock, which never goes back: microseconds since the epoch. */
export function nowMicros(): number {
  return Math.floor((timeOrigin + elapsed()) * 1000)
}
