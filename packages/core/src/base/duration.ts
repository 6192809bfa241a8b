import { describe, HaltError, type HaltErrorCode } from './errors.ts'

/** A length of time: a number of seconds, or a decimal with a unit, such as `"500ms"`, `"10s"`, `"1m"`, `"2h"`, `"7d"`. */
export type Duration = number | string

const MICROS: Record<string, number> = { ms: 1e3, s: 1e6, m: 60e6, h: 3600e6, d: 86_400e6 }
const FORM = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/

/** A number and a unit in words, as in @fastify/rate-limit: `1 minute`, `30 secs`. */
const WORDS =
  /^(\d+(?:\.\d+)?)\s*(milliseconds?|msecs?|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|w)$/i

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
      `${hintFor(value)}Give seconds as a number (60) or a decimal with a unit ("500ms", "1m", "30d").`,
    )
  }
  return whole
}

/** Finds how Halt writes a duration that other limiters write in words. Empty for any other value. */
function hintFor(value: unknown): string {
  const [, number, word = ''] = (typeof value === 'string' && WORDS.exec(value.trim())) || []
  if (number === undefined) return ''
  const said = word.toLowerCase()
  if (said.startsWith('w')) return `Write "${Number(number) * 7}d". `
  const unit = /^(?:milli|ms)/.test(said) ? 'ms' : said.charAt(0)
  return `Write "${number}${unit}". `
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
