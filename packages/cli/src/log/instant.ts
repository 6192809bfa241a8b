const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const CLF = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/

let lastText = ''
let lastInstant = 0

/**
 * Reads the time of a combined log, `24/Nov/2026:10:00:00 +0100`, as Unix milliseconds. NaN if it is not one.
 *
 * Lines that follow one another mostly have the same second, so the last result is kept.
 */
export function clfInstant(text: string): number {
  if (text === lastText) return lastInstant
  const [, day, month = '', year, hour, minute, second, sign, offHours, offMinutes] = CLF.exec(text) ?? []
  const at = MONTHS.indexOf(month)
  if (at < 0) return Number.NaN
  const offset = (Number(offHours) * 60 + Number(offMinutes)) * (sign === '-' ? -1 : 1)
  const local = Date.UTC(Number(year), at, Number(day), Number(hour), Number(minute), Number(second))
  if (new Date(Date.UTC(Number(year), at, Number(day))).getUTCDate() !== Number(day)) return Number.NaN
  lastText = ` ${text}`.slice(1)
  lastInstant = local - offset * 60_000
  return lastInstant
}

/** The last instant of a `Date`, in Unix milliseconds. */
const LAST = 8.64e15

/** Reads a time in JSON as Unix milliseconds: an ISO date, or seconds, milli-, micro- or nanoseconds. NaN if it is not one. */
export function jsonInstant(value: unknown): number {
  const at = instantOf(value)
  return Math.abs(at) <= LAST ? at : Number.NaN
}

/** Whether a text that begins with a date names a day that there is. JavaScript takes 31 February for 3 March. */
export function isOfCalendar(text: string): boolean {
  const [date, day] = /^\d{4}-\d\d-(\d\d)/.exec(text) ?? []
  return date === undefined || new Date(`${date}T00:00Z`).getUTCDate() === Number(day)
}

function instantOf(value: unknown): number {
  if (typeof value === 'number') return numberInstant(value)
  if (typeof value !== 'string' || value === '' || !isOfCalendar(value)) return Number.NaN
  const parsed = /^\d+(\.\d+)?$/.test(value) ? numberInstant(Number(value)) : Date.parse(value)
  return Number.isNaN(parsed) ? clfInstant(value) : parsed
}

// From the year 1973 to 5138, the four units do not overlap.
function numberInstant(value: number): number {
  if (!(value > 0)) return Number.NaN
  if (value < 1e11) return value * 1e3
  if (value < 1e14) return value
  return value < 1e17 ? value / 1e3 : value / 1e6
}
