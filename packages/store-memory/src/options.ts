import { HaltError, readClock } from '@halt/core/counters'

/** Options of `InMemoryStore`. */
export interface InMemoryStoreOptions {
  /**
   * The most counters that are stored at once, 1 to 16 000 000. Default 1 000 000. Together they take at most 256 bytes times this, and a
   * megabyte. A counter larger than 256 bytes uses the room of several.
   */
  readonly maxKeys?: number | undefined
  /** Returns Unix milliseconds, fractions allowed. Default: a monotonic clock. The store's time never goes back. */
  readonly clock?: Clock | undefined
}

/** Checks the options of a store. @throws HaltError `HALT_E_STORE_OPTION` */
export function checkOptions(options: InMemoryStoreOptions): InMemoryStoreOptions {
  const known = ['maxKeys', 'clock']
  const mistake = (message: string, fix: string): HaltError =>
    new HaltError('HALT_E_STORE_OPTION', message, fix)
  if (typeof options !== 'object' || options === null)
    throw mistake(
      `InMemoryStore got ${String(options)} as its options.`,
      `Give options, ${known.join(' and ')}, or nothing.`,
    )
  const unknown = Object.entries(options).find(
    ([name, value]) => value !== undefined && !known.includes(name),
  )?.[0]
  if (unknown !== undefined) {
    throw mistake(`InMemoryStore has no option "${unknown}".`, `Its options are ${known.join(' and ')}.`)
  }
  const { maxKeys, clock } = options
  if (maxKeys !== undefined && !(Number.isInteger(maxKeys) && maxKeys >= 1 && maxKeys <= 16_000_000)) {
    throw mistake(
      `maxKeys is ${String(maxKeys)} (${typeof maxKeys}).`,
      'Give a whole number from 1 to 16000000 (the most that one Map holds).',
    )
  }
  if (clock !== undefined && typeof clock !== 'function') {
    throw mistake('clock is not a function.', 'Give a function that returns Unix milliseconds, or omit it.')
  }
  return options
}

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
