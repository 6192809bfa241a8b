/** Says whether a value that another process wrote has a form. */
type Check = (value: unknown) => boolean

/** The latest instant of a `Date`, in milliseconds. No number of a report is larger. */
const MOST = 8.64e15

const text: Check = value => typeof value === 'string'
const flag: Check = value => typeof value === 'boolean'
const number: Check = value => typeof value === 'number' && Math.abs(value) <= MOST
const oneOf =
  (...values: readonly unknown[]): Check =>
  value =>
    values.includes(value)
const maybe =
  (check: Check): Check =>
  value =>
    value === undefined || check(value)
const listOf =
  (check: Check, length?: number): Check =>
  value =>
    Array.isArray(value) && value.every(check) && (length === undefined || value.length === length)
const shape =
  (fields: Readonly<Record<string, Check>>): Check =>
  value =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(fields).every(([name, check]) => check((value as Record<string, unknown>)[name]))

/** Columns of counts, each with a number per step of time. */
const columns = (last: string, length: number): Check => {
  const column = listOf(number, length)
  return shape({ [last]: number, allowed: column, refused: column, exempt: column, degraded: column })
}

const topKey = shape({ policy: text, key: text, count: number, error: number })
const tally = shape({
  policy: text,
  allowed: number,
  refused: number,
  shadow: flag,
  key: text,
  limit: number,
  remaining: number,
  at: number,
  resetAt: number,
  scarce: maybe(number),
})
const counted = shape({ policy: text, key: text, allowed: flag, reason: text, at: number })
const line = shape({ policy: text, key: text, callers: number, since: number, waitedMs: maybe(number) })
const health = shape({
  kind: text,
  decides: oneOf('store', 'local', 'open', 'closed', 'unknown'),
  since: number,
  errors: number,
  lastError: maybe(shape({ failure: text, at: number })),
  median: maybe(number),
  p95: maybe(number),
})

/** Whether the numbers of a load shedder have their form. */
export const isShedderNumbers: Check = shape({
  name: text,
  mode: oneOf('enforce', 'shadow', 'off'),
  route: maybe(text),
  limit: number,
  inFlight: number,
  ageMs: number,
  insideMs: number,
  calmMs: number,
  sheds: listOf(oneOf('critical', 'normal', 'batch')),
  cause: oneOf('loop', 'inside', undefined),
  sheddingMs: number,
})

/**
 * Makes the check of the numbers of another process: every field, so that a report that is broken or was made by hand is left out and
 * cannot break the page.
 *
 * @param minutes how many seconds are counted
 * @param hour how many steps of an hour
 */
export function reportCheck(minutes: number, hour: number): Check {
  return shape({
    now: number,
    since: number,
    waiting: number,
    counts: columns('second', minutes),
    hour: columns('second', hour),
    counted: listOf(shape({ token: text, under: listOf(counted) })),
    policies: listOf(tally),
    used: listOf(topKey),
    refused: listOf(topKey),
    events: listOf(shape({ at: number, what: text, key: maybe(text) })),
    lines: maybe(listOf(line)),
    store: health,
    shedders: listOf(isShedderNumbers),
  })
}
