import { describe } from './describe.ts'
import { HaltError, type HaltErrorCode } from './errors.ts'

/** A length of time: a number of seconds, or a decimal with a unit, such as `"500ms"`, `"10s"`, `"1m"`, `"2h"`, `"7d"`. */
export type Duration = number | string

const MICROS: Record<string, number> = { ms: 1e3, s: 1e6, m: 60e6, h: 3600e6, d: 86_400e6 }
const FORM = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/

/** The shortest window: 1 ms, in microseconds. */
const MIN_WINDOW = 1_000
/** The longest window: 366 days, in microseconds. */
const MAX_WINDOW: number = 366 * 86_400e6

/**
 * Reads a duration into whole microseconds.
 *
 * @param value the user's value
 * @param name the option's name, for the error
 * @throws HaltError `HALT_E_DURATION` (or `code`) for a value that is not a duration from 1 ms to 366 days
 */
export function parseDuration(value: unknown, name: string, code: HaltErrorCode = 'HALT_E_DURATION'): number {
  const whole = toMicros(value)
  if (!(whole >= MIN_WINDOW && whole <= MAX_WINDOW)) {
    throw new HaltError(
      code,
      `${name} is ${describe(value)}, not a duration from 1 ms to 366 days.`,
      `Give seconds as a number (60) or a decimal with a unit ("500ms", "1m", "30d").`,
    )
  }
  return whole
}

/** A duration of any length in whole microseconds; NaN for a value that is not a duration. */
export function toMicros(value: unknown): number {
  if (typeof value === 'number') return Math.round(value * 1e6)
  return typeof value === 'string' ? Math.round(fromText(value)) : Number.NaN
}

function fromText(text: string): number {
  const match = FORM.exec(text.trim())
  return match ? Number(match[1]) * (MICROS[match[2] as string] as number) : Number.NaN
}
