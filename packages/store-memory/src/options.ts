import { HaltError } from '@halt/core/counters'

import type { Clock } from './clock.ts'

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
