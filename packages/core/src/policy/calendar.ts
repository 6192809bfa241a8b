import type { Edges } from '../algorithms/index.ts'
import { describe } from '../base/errors.ts'
import { fail } from '../base/options-check.ts'
import type { QuotaFields, QuotaPeriod } from './policy.ts'

/** The options that say when a quota's periods begin. */
export type CalendarOptions = Pick<QuotaFields, 'period' | 'timeZone' | 'anchor'>

/** The edges of a quota's periods, in Unix milliseconds. */
export interface Calendar {
  /**
   * The edges around an instant, in Unix milliseconds: start ≤ now < end, and the end of the next period.
   *
   * Cached: the same frozen tuple while `nowMs` stays inside. The period before is `edges(start - 1)`.
   * @param nowMs Unix milliseconds, fractions allowed
   * @throws HaltError `HALT_E_CLOCK` if it is not a date
   */
  edges(nowMs: number): Edges
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** The latest instant, Unix milliseconds, whose neighbouring periods are all within JavaScript's dates. */
const LAST = 8.64e15 - 5 * 366 * DAY
// Local, not UTC: a Monday, the first of a month and of a year, at midnight, so it is the anchor of all five.
const DEFAULT_ANCHOR = Date.UTC(2024, 0, 1)
const NONE: Edges = Object.freeze([0, 0, 0] as const)

/**
 * Makes a calendar of periods; its options are checked here, once.
 *
 * If a clock change skips a local time, the edge is the instant as long after the change. If a local time comes twice, the edge
 * is its first occurrence. Only hourly periods count both occurrences, so a day of 25 hours has 25 of them.
 *
 * @throws HaltError `HALT_E_PERIOD`, `HALT_E_TIME_ZONE`, `HALT_E_ANCHOR`
 */
export function compileCalendar(options: CalendarOptions): Calendar {
  const { period, timeZone = 'UTC', anchor } = options
  const offsetAt = offsetsIn(timeZone)
  const anchorLocal = anchor === undefined ? DEFAULT_ANCHOR : localAnchor(anchor, offsetAt)
  const candidates = edgeFinder(period, anchorLocal, offsetAt)
  let latest = NONE
  let former = NONE
  return {
    edges(nowMs) {
      if (nowMs >= latest[0] && nowMs < latest[1]) return latest
      // Two periods are kept. Otherwise a clock that steps back over an edge, or several clocks around it, would recompute.
      const swap = latest
      latest = nowMs >= former[0] && nowMs < former[1] ? former : around(nowMs, candidates)
      former = swap
      return latest
    },
  }
}

function around(nowMs: number, candidates: (now: number) => number[]): Edges {
  if (!(Math.abs(nowMs) <= LAST)) {
    const mistake = `The clock shows ${describe(nowMs)}, which is not a date.`
    fail('HALT_E_CLOCK', mistake, 'Give a clock that returns Unix milliseconds, like Date.now.')
  }
  let [start, end, nextEnd] = [-Infinity, Infinity, Infinity]
  // The edges come in any order. Two edges are the same instant where a zone skipped a whole day.
  for (const edge of candidates(Math.floor(nowMs))) {
    if (edge <= nowMs) start = Math.max(start, edge)
    else if (edge < end) [end, nextEnd] = [edge, end]
    else if (edge > end && edge < nextEnd) nextEnd = edge
  }
  return Object.freeze([start, end, nextEnd] as const)
}

/** Makes the function that lists the edges near an instant: at least one up to it and two after it. */
function edgeFinder(period: QuotaPeriod, anchorLocal: number, offsetAt: OffsetAt): (now: number) => number[] {
  const date = new Date(anchorLocal)
  const time = floorMod(anchorLocal, DAY)
  const monthEdge = (month: number): number => monthStart(month, date.getUTCDate()) + time
  const yearEdge = (year: number): number => monthEdge(year * 12 + date.getUTCMonth())
  switch (period) {
    case 'hourly':
      return now => hoursNear(now, floorMod(anchorLocal, HOUR), offsetAt)
    case 'daily':
      return near(offsetAt, ...evenly(DAY, anchorLocal))
    case 'weekly':
      return near(offsetAt, ...evenly(7 * DAY, anchorLocal))
    case 'monthly':
      return near(offsetAt, monthOf, monthEdge)
    case 'yearly':
      return near(offsetAt, local => Math.floor(monthOf(local) / 12), yearEdge)
    default:
      return fail(
        'HALT_E_PERIOD',
        `period is ${describe(period)}.`,
        'Give hourly, daily, weekly, monthly or yearly.',
      )
  }
}

/** Numbered edges in local time: finds the last edge at a local time (or the next one), and gives the local time of an edge. */
type Series = [indexOf: (local: number) => number, localOf: (index: number) => number]

function evenly(length: number, anchorLocal: number): Series {
  const phase = floorMod(anchorLocal, length)
  return [local => Math.floor((local - phase) / length), index => index * length + phase]
}

/** Lists the edges near an instant, for periods of a day or longer. Local and elapsed time differ by at most about a day. */
function near(offsetAt: OffsetAt, ...[indexOf, localOf]: Series): (now: number) => number[] {
  return now => {
    const index = indexOf(now + offsetAt(now))
    return [-1, 0, 1, 2, 3].map(step => instantOf(localOf(index + step), offsetAt))
  }
}

/**
 * Lists the edges of hours near an instant. Each offset in force nearby has a grid of full hours. An instant of a grid is an edge
 * while its offset is in force, or right after it, for a local time that the change skipped.
 */
function hoursNear(now: number, phase: number, offsetAt: OffsetAt): number[] {
  const edges: number[] = []
  for (const offset of new Set([offsetAt(now - DAY), offsetAt(now), offsetAt(now + DAY)])) {
    const first = now - floorMod(now + offset - phase, HOUR) - 2 * HOUR
    for (let edge = first; edge < first + 7 * HOUR; edge += HOUR) {
      if (offsetAt(edge) === offset || instantOf(edge + offset, offsetAt) === edge) edges.push(edge)
    }
  }
  return edges
}

// Computed with remainders, because they are exact at any size and a quotient is not.
const floorMod = (value: number, by: number): number => ((value % by) + by) % by

/** The number of a local time's month. 0 is January of the year 0. */
function monthOf(local: number): number {
  const date = new Date(local)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

// Uses setUTCFullYear, because Date.UTC reads the years 0 to 99 as 1900 to 1999.
function monthStart(month: number, day: number): number {
  const length = new Date(new Date(0).setUTCFullYear(0, month + 1, 0)).getUTCDate()
  return new Date(0).setUTCFullYear(0, month, Math.min(day, length))
}

function localAnchor(anchor: Date, offsetAt: OffsetAt): number {
  // Tests the method, not instanceof, because a test runner's Date may come from another realm.
  const at = typeof anchor?.getTime === 'function' ? anchor.getTime() : Number.NaN
  const local = Number.isFinite(at) ? at + offsetAt(at) : Number.NaN
  if (Math.abs(local) <= LAST) return local
  const shown = typeof anchor?.getTime === 'function' ? 'an invalid Date' : describe(anchor)
  return fail('HALT_E_ANCHOR', `anchor is ${shown}.`, 'Give a valid Date, such as new Date("2026-01-31").')
}

/** The offset of local time from UTC at an instant, both in milliseconds. */
type OffsetAt = (ms: number) => number

/** The instant of a local time, as Temporal's "compatible": its first occurrence, or as long after a gap. */
function instantOf(local: number, offsetAt: OffsetAt): number {
  // No offset exceeds a day, so these two are the offsets before and after any change nearby.
  const before = offsetAt(local - DAY)
  const after = offsetAt(local + DAY)
  if (before === after || offsetAt(local - before) === before) return local - before
  return offsetAt(local - after) === after ? local - after : local - before
}

// One formatter per zone, because each takes tens of kilobytes. Only valid names are added, so the map stays small.
const zones = new Map<string, OffsetAt>([['UTC', () => 0]])

/** Makes the function that tells the offset of a time zone. @throws HaltError `HALT_E_TIME_ZONE` */
function offsetsIn(timeZone: string): OffsetAt {
  const known = zones.get(timeZone)
  if (known) return known
  let format: Intl.DateTimeFormat
  try {
    // Formats the offset ("GMT-04:56:02"), because local fields would bring eras, calendars and 24 o'clock.
    const shown = { year: 'numeric', timeZoneName: 'longOffset' } as const
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', { ...shown, timeZone })
  } catch {
    const mistake = `timeZone is ${describe(timeZone)}, which this runtime does not know.`
    fail('HALT_E_TIME_ZONE', mistake, 'Give an IANA name, such as "Europe/Berlin".')
  }
  const offsetAt: OffsetAt = ms => {
    const text = format.format(ms)
    const offset = text.slice(text.lastIndexOf('GMT') + 3)
    const [hours = 0, minutes = 0, seconds = 0] = offset.slice(1).split(':').map(Number)
    return (offset.startsWith('-') ? -1000 : 1000) * ((hours * 60 + minutes) * 60 + seconds)
  }
  zones.set(timeZone, offsetAt)
  return offsetAt
}
