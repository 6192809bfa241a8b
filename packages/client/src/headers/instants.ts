const NUMBER = /^\d+(?:\.\d+)?$/
const GO = /^(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|μs|ns))+$/
const GO_PART = /(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|μs|ns)/g
const GO_UNITS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ns: 1e-6,
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/
/** The three forms of an HTTP date (RFC 9110, 5.6.7). `Date.parse` alone would take almost any text for a date. */
const HTTP_DATES: readonly RegExp[] = [
  /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
  /^[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/,
]

/** From this number on, a reset is an instant and not a number of seconds from now. As seconds it would be 31 years. */
const EPOCH_SECONDS = 1e9
/** From this number on, an instant is in milliseconds. As seconds it would be the year 5138. */
const EPOCH_MS = 1e11

/** An HTTP date as Unix milliseconds, or `undefined`. */
export function readHttpDate(text: string): number | undefined {
  if (!HTTP_DATES.some(form => form.test(text))) return undefined
  const at = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(at) ? undefined : at
}

/** A number of seconds as milliseconds, or `undefined`. */
export function readSeconds(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) * 1000 : undefined
}

/** A Go duration such as `6m0s` or `20ms` as milliseconds, or `undefined`. */
export function readGoDuration(text: string): number | undefined {
  if (text.length > 64 || !GO.test(text)) return undefined
  let total = 0
  for (const [, amount, unit = ''] of text.matchAll(GO_PART)) total += Number(amount) * (GO_UNITS[unit] ?? 0)
  return total
}

/**
 * Reads when a limit is renewed, as Unix milliseconds of this process's clock: seconds from now, Unix seconds, Unix
 * milliseconds, a Go duration, RFC 3339 or an HTTP date. `undefined` for anything else.
 *
 * @param now this process's clock, in Unix milliseconds
 * @param ahead by how many milliseconds the server's clock is ahead of it
 */
export function readReset(value: string | undefined, now: number, ahead: number): number | undefined {
  const text = value?.trim() ?? ''
  if (NUMBER.test(text)) {
    const number = Number(text)
    if (number < EPOCH_SECONDS) return now + number * 1000
    return within((number < EPOCH_MS ? number * 1000 : number) - ahead)
  }
  const wait = readGoDuration(text)
  if (wait !== undefined) return within(now + wait)
  const at = RFC_3339.test(text) ? Date.parse(text) : (readHttpDate(text) ?? Number.NaN)
  return within(at - ahead)
}

/** Rejects what is not an instant that a `Date` can hold. */
function within(at: number): number | undefined {
  return Math.abs(at) <= 8.64e15 ? at : undefined
}
