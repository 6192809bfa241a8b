import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { type CalendarOptions, compileCalendar } from '../../src/policy/calendar.ts'
import type { QuotaPeriod } from '../../src/policy/policy.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const FROM = Date.UTC(2020, 0, 1)
const TO = Date.UTC(2036, 0, 1)
const PERIODS: readonly QuotaPeriod[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly']

const at = (text: string): number => {
  const ms = Date.parse(text)
  expect(ms, text).not.toBeNaN()
  return ms
}
const iso = (ms: number): string => new Date(ms).toISOString()

/** The starts of `count` periods, beginning with the period around `from`. */
function starts(options: CalendarOptions, from: string, count: number): string[] {
  const calendar = compileCalendar(options)
  const found: string[] = []
  for (let now = at(from); found.length < count; now = calendar.edges(now)[1]) {
    found.push(iso(calendar.edges(now)[0]))
  }
  return found
}

/** The length in hours of the period around an instant. */
function hours(options: CalendarOptions, now: string): number {
  const [start, end] = compileCalendar(options).edges(at(now))
  return (end - start) / HOUR
}

/**
 * Reads the zone data a second way, by local fields. calendar.ts reads the offsets.
 * @returns the local time as if it were UTC, in milliseconds
 */
function wallClock(timeZone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    calendar: 'iso8601',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  return ms => {
    const [first = 0, month = 0, third = 0, hour = 0, minute = 0, second = 0] = (
      format.format(ms).match(/\d+/g) ?? []
    ).map(Number)
    // Runtimes differ in the order of year and day.
    const [year, day] = first > 31 ? [first, third] : [third, first]
    return Date.UTC(year, month - 1, day, hour, minute, second) + (((ms % 1000) + 1000) % 1000)
  }
}

interface Change {
  /** The first instant of the new offset. */
  at: number
  /** How far the clock is put forward, in milliseconds; negative if it is put back. */
  by: number
}

/** Every clock change of a zone from 2019 to 2037. */
function changes(wall: (ms: number) => number): Change[] {
  const found: Change[] = []
  const offset = (ms: number): number => wall(ms) - ms
  const last = TO + 366 * DAY
  let before = offset(FROM - 366 * DAY)
  for (let low = FROM - 366 * DAY; low < last; low += 14 * DAY) {
    const after = offset(low + 14 * DAY)
    if (after === before) continue
    let [a, b] = [low, low + 14 * DAY]
    while (b - a > 1) {
      const middle = Math.floor((a + b) / 2)
      if (offset(middle) === before) a = middle
      else b = middle
    }
    found.push({ at: b, by: after - before })
    before = after
  }
  return found
}

const lengthOf = (year: number, month: number): number => new Date(Date.UTC(year, month + 1, 0)).getUTCDate()

/** Whether a local time is one at which a period begins. */
function begins(period: QuotaPeriod, local: number, anchorLocal: number): boolean {
  const mod = (value: number, by: number): number => ((value % by) + by) % by
  if (period === 'hourly') return mod(local - anchorLocal, HOUR) === 0
  if (mod(local - anchorLocal, DAY) !== 0) return false
  if (period === 'daily') return true
  const [date, anchor] = [new Date(local), new Date(anchorLocal)]
  if (period === 'weekly') return date.getUTCDay() === anchor.getUTCDay()
  if (period === 'yearly' && date.getUTCMonth() !== anchor.getUTCMonth()) return false
  const length = lengthOf(date.getUTCFullYear(), date.getUTCMonth())
  return date.getUTCDate() === Math.min(anchor.getUTCDate(), length)
}

/** The number of a local time's period, so that neighbours differ by 1. */
function ordinal(period: QuotaPeriod, local: number): number {
  const date = new Date(local)
  if (period === 'daily') return Math.floor(local / DAY)
  if (period === 'weekly') return Math.floor(local / (7 * DAY))
  if (period === 'monthly') return date.getUTCFullYear() * 12 + date.getUTCMonth()
  return date.getUTCFullYear()
}

/** Zones whose clocks change at unusual times, by unusual amounts, or not as the others of their continent. */
const ODD: readonly string[] = [
  'Africa/Cairo',
  'Africa/Casablanca',
  'Africa/Monrovia',
  'America/Havana',
  'America/Juneau',
  'America/New_York',
  'America/Nuuk',
  'Antarctica/Troll',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Manila',
  'Asia/Pyongyang',
  'Asia/Tehran',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Europe/Amsterdam',
  'Europe/Berlin',
  'Pacific/Apia',
  'Pacific/Chatham',
  'UTC',
]

const scope = isFull ? 'every zone' : 'every fourth zone, and the odd ones'
describe(`${scope}, every period, 2020 to 2035`, () => {
  const every = Intl.supportedValuesOf('timeZone')
  const zones = isFull ? every : [...new Set([...every.filter((_, i) => i % 4 === 0), ...ODD])]

  const check = (
    options: CalendarOptions,
    now: number,
    wall: (ms: number) => number,
    all: Change[],
  ): void => {
    const { period, anchor } = options
    const calendar = compileCalendar(options)
    const edges = calendar.edges(now)
    const [start, end, nextEnd] = edges
    expect(start <= now && now < end && end < nextEnd).toBe(true)
    expect(calendar.edges(now)).toBe(edges)
    expect(calendar.edges(start)).toBe(edges)
    expect(calendar.edges(end - 1)).toBe(edges)
    // Periods tile: the next one begins where this one ends, and the one before ends where this one begins.
    const next = calendar.edges(end)
    expect([next[0], next[1]]).toEqual([end, nextEnd])
    const before = calendar.edges(start - 1)
    expect([before[1], before[2]]).toEqual([start, end])
    // Edges do not depend on earlier calls.
    expect(compileCalendar(options).edges(end - 1)).toEqual(edges)

    const anchorLocal = anchor ? wall(anchor.getTime()) : Date.UTC(2024, 0, 1)
    const nominal = (edge: number): number => {
      const local = wall(edge)
      const change = all.find(({ at, by }) => at <= edge && edge < at + Math.abs(by))
      if (change && change.by > 0 && begins(period, local - change.by, anchorLocal)) return local - change.by
      expect(begins(period, local, anchorLocal), `${iso(edge)} is ${iso(local)}`).toBe(true)
      // If the local time comes twice, the first occurrence counts.
      if (period !== 'hourly') expect(change && change.by < 0).toBeFalsy()
      return local
    }
    const locals = [nominal(start), nominal(end), nominal(nextEnd)] as const
    if (period !== 'hourly') {
      const [a, b, c] = locals.map(local => ordinal(period, local)) as [number, number, number]
      expect([b - a, c - b]).toEqual([1, 1])
      return
    }
    if (all.every(change => change.at <= start - 2 * HOUR || change.at > end)) {
      expect(end - start).toBe(HOUR)
      return
    }
    expect(end - start).toBeLessThan(2 * HOUR)
    for (let ms = start + MINUTE; ms < end; ms += MINUTE) {
      expect(begins(period, wall(ms), anchorLocal)).toBe(false)
    }
  }

  test(`the edges of ${scope} surround, tile, and show the expected local time`, () => {
    for (const timeZone of zones) {
      const wall = wallClock(timeZone)
      const all = changes(wall)
      const random = fc.integer({ min: FROM, max: TO - 1 })
      const inRange = all.filter(change => change.at >= FROM && change.at < TO)
      const near = inRange.map(change => fc.integer({ min: change.at - 2 * DAY, max: change.at + 2 * DAY }))
      const now = fc.oneof(random, ...(near.length > 0 ? [fc.oneof(...near)] : []))
      const minutes = fc.integer({ min: FROM / MINUTE, max: TO / MINUTE }).map(n => new Date(n * MINUTE))
      const anchor = fc.oneof(fc.constant(undefined), minutes)
      fc.assert(
        fc.property(fc.constantFrom(...PERIODS), now, anchor, (period, instant, from) => {
          check({ period, timeZone, ...(from && { anchor: from }) }, instant, wall, all)
        }),
        { numRuns: isFull ? 25 : 10 },
      )
      // Without an anchor every period is tested, around a clock change if there is one.
      for (const period of PERIODS) check({ period, timeZone }, inRange[0]?.at ?? FROM, wall, all)
    }
  })
})

describe('UTC', () => {
  test.each([
    ['hourly', '2026-05-13T10:00:00.000Z', '2026-05-13T11:00:00.000Z', '2026-05-13T12:00:00.000Z'],
    ['daily', '2026-05-13T00:00:00.000Z', '2026-05-14T00:00:00.000Z', '2026-05-15T00:00:00.000Z'],
    ['weekly', '2026-05-11T00:00:00.000Z', '2026-05-18T00:00:00.000Z', '2026-05-25T00:00:00.000Z'],
    ['monthly', '2026-05-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z', '2026-07-01T00:00:00.000Z'],
    ['yearly', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z', '2028-01-01T00:00:00.000Z'],
  ] as const)('UTC is the default zone of a period that is %s', (period, ...expected) => {
    expect(compileCalendar({ period }).edges(at('2026-05-13T10:20:30.400Z')).map(iso)).toEqual(expected)
    const named = compileCalendar({ period, timeZone: 'Etc/UTC' })
    expect(named.edges(at('2026-05-13T10:20:30.400Z')).map(iso)).toEqual(expected)
  })

  test('an ISO week begins on Monday, also across a year', () => {
    expect(starts({ period: 'weekly' }, '2027-01-03T23:59:59.999Z', 2)).toEqual([
      '2026-12-28T00:00:00.000Z',
      '2027-01-04T00:00:00.000Z',
    ])
  })

  test('February 2028 has 29 days and 2028 has 366', () => {
    expect(hours({ period: 'monthly' }, '2028-02-10T00:00:00Z')).toBe(29 * 24)
    expect(hours({ period: 'monthly' }, '2100-02-10T00:00:00Z')).toBe(28 * 24)
    expect(hours({ period: 'yearly' }, '2028-02-29T12:00:00Z')).toBe(366 * 24)
    expect(hours({ period: 'daily' }, '2028-02-29T12:00:00Z')).toBe(24)
  })
})

describe('clock changes', () => {
  const timeZone = 'America/New_York'

  test('New York has a day of 23 hours and one of 25', () => {
    expect(hours({ period: 'daily', timeZone }, '2026-03-08T12:00:00Z')).toBe(23)
    expect(hours({ period: 'daily', timeZone }, '2026-11-01T12:00:00Z')).toBe(25)
    expect(starts({ period: 'daily', timeZone }, '2026-03-08T12:00:00Z', 2)).toEqual([
      '2026-03-08T05:00:00.000Z',
      '2026-03-09T04:00:00.000Z',
    ])
    expect(hours({ period: 'weekly', timeZone }, '2026-11-01T12:00:00Z')).toBe(7 * 24 + 1)
    expect(hours({ period: 'monthly', timeZone }, '2026-03-15T12:00:00Z')).toBe(31 * 24 - 1)
  })

  test('a day of 23 or 25 hours has as many hourly periods, each of one elapsed hour', () => {
    for (const [day, count] of [
      ['2026-03-08T12:00:00Z', 23],
      ['2026-11-01T12:00:00Z', 25],
    ] as const) {
      const [start, end] = compileCalendar({ period: 'daily', timeZone }).edges(at(day))
      const calendar = compileCalendar({ period: 'hourly', timeZone })
      for (let i = 0; i < count; i++) {
        expect(calendar.edges(start + i * HOUR + 1)[0]).toBe(start + i * HOUR)
        expect(calendar.edges(start + i * HOUR + 1)[1]).toBe(start + (i + 1) * HOUR)
      }
      expect(start + count * HOUR).toBe(end)
    }
  })

  test('the hourly periods of Lord Howe follow its change of half an hour', () => {
    const zone = 'Australia/Lord_Howe'
    // 4 October 2026: 02:00 (+10:30) becomes 02:30 (+11). The skipped 02:00 is half an hour after the change.
    expect(starts({ period: 'hourly', timeZone: zone }, '2026-10-03T14:30:00Z', 4)).toEqual([
      '2026-10-03T14:30:00.000Z',
      '2026-10-03T15:30:00.000Z',
      '2026-10-03T16:00:00.000Z',
      '2026-10-03T17:00:00.000Z',
    ])
    // 5 April 2026: 02:00 (+11) becomes 01:30 (+10:30); the next full hour is 02:00.
    expect(starts({ period: 'hourly', timeZone: zone }, '2026-04-04T14:00:00Z', 3)).toEqual([
      '2026-04-04T14:00:00.000Z',
      '2026-04-04T15:30:00.000Z',
      '2026-04-04T16:30:00.000Z',
    ])
    expect(hours({ period: 'daily', timeZone: zone }, '2026-10-04T00:00:00Z')).toBe(23.5)
    expect(hours({ period: 'daily', timeZone: zone }, '2026-04-05T00:00:00Z')).toBe(24.5)
  })

  test('the hourly periods of Troll follow its change of two hours', () => {
    const zone = 'Antarctica/Troll'
    expect(hours({ period: 'daily', timeZone: zone }, '2026-03-29T12:00:00Z')).toBe(22)
    expect(hours({ period: 'daily', timeZone: zone }, '2026-10-25T12:00:00Z')).toBe(26)
    const calendar = compileCalendar({ period: 'hourly', timeZone: zone })
    for (let ms = at('2026-10-24T12:00:00Z'); ms < at('2026-10-25T12:00:00Z'); ms += HOUR) {
      expect(calendar.edges(ms)).toEqual([ms, ms + HOUR, ms + 2 * HOUR])
    }
  })

  test('the hourly periods of zones with offsets of 30 and 45 minutes begin at their own full hours', () => {
    expect(starts({ period: 'hourly', timeZone: 'Asia/Kolkata' }, '2026-01-01T10:29:59.999Z', 2)).toEqual([
      '2026-01-01T09:30:00.000Z',
      '2026-01-01T10:30:00.000Z',
    ])
    expect(starts({ period: 'hourly', timeZone: 'Asia/Kathmandu' }, '2026-01-01T10:00:00Z', 1)).toEqual([
      '2026-01-01T09:15:00.000Z',
    ])
  })

  test('a midnight that does not exist is one o’clock, in Cairo', () => {
    // 24 April 2026: 00:00 (+2) becomes 01:00 (+3).
    expect(starts({ period: 'daily', timeZone: 'Africa/Cairo' }, '2026-04-23T12:00:00Z', 3)).toEqual([
      '2026-04-22T22:00:00.000Z',
      '2026-04-23T22:00:00.000Z',
      '2026-04-24T21:00:00.000Z',
    ])
  })

  test('a midnight that comes twice is the first, in Havana', () => {
    // 1 November 2026: 01:00 (-4) becomes 00:00 (-5).
    expect(starts({ period: 'daily', timeZone: 'America/Havana' }, '2026-11-01T05:30:00Z', 2)).toEqual([
      '2026-11-01T04:00:00.000Z',
      '2026-11-02T05:00:00.000Z',
    ])
  })

  test('an anchor’s time of day that is skipped moves on, and one that comes twice is the first', () => {
    const skipped = new Date('2026-01-10T02:30:00-05:00')
    expect(starts({ period: 'daily', timeZone, anchor: skipped }, '2026-03-07T12:00:00Z', 3)).toEqual([
      '2026-03-07T07:30:00.000Z',
      '2026-03-08T07:30:00.000Z', // 03:30 local
      '2026-03-09T06:30:00.000Z',
    ])
    const twice = new Date('2026-01-10T01:30:00-05:00')
    expect(starts({ period: 'daily', timeZone, anchor: twice }, '2026-11-01T06:00:00Z', 2)).toEqual([
      '2026-11-01T05:30:00.000Z', // the first, still -4
      '2026-11-02T06:30:00.000Z',
    ])
    // After the gap, but before the edge that it moved, it is still the day before.
    const moved = compileCalendar({ period: 'daily', timeZone, anchor: skipped })
    expect(iso(moved.edges(at('2026-03-08T07:10:00Z'))[0])).toBe('2026-03-07T07:30:00.000Z')
  })

  test('Apia skipped a day, 30 December 2011, and has no empty period and no endless loop', () => {
    const zone = 'Pacific/Apia'
    expect(starts({ period: 'daily', timeZone: zone }, '2011-12-29T12:00:00Z', 3)).toEqual([
      '2011-12-29T10:00:00.000Z',
      '2011-12-30T10:00:00.000Z',
      '2011-12-31T10:00:00.000Z',
    ])
    for (const period of PERIODS) {
      for (const anchor of [undefined, new Date('2011-10-01T03:33:00Z')]) {
        const calendar = compileCalendar({ period, timeZone: zone, ...(anchor && { anchor }) })
        for (let ms = at('2011-12-27T00:00:00Z'); ms < at('2012-01-03T00:00:00Z'); ms += 17 * MINUTE) {
          const [start, end, nextEnd] = calendar.edges(ms)
          expect(start <= ms && ms < end && end < nextEnd).toBe(true)
        }
      }
    }
  })
})

describe('anchors', () => {
  const days = (options: CalendarOptions, from: string, count: number): string[] =>
    starts(options, from, count).map(text => text.slice(0, 10))

  test('an anchor on the 31st, 30th or 29th comes back after a shorter month', () => {
    const monthly = (day: string): CalendarOptions => ({
      period: 'monthly',
      anchor: new Date(`2027-01-${day}T08:15:00Z`),
    })
    expect(starts(monthly('31'), '2027-01-31T08:15:00Z', 6)).toEqual([
      '2027-01-31T08:15:00.000Z',
      '2027-02-28T08:15:00.000Z',
      '2027-03-31T08:15:00.000Z',
      '2027-04-30T08:15:00.000Z',
      '2027-05-31T08:15:00.000Z',
      '2027-06-30T08:15:00.000Z',
    ])
    expect(days(monthly('31'), '2028-02-10T00:00:00Z', 3)).toEqual(['2028-01-31', '2028-02-29', '2028-03-31'])
    expect(days(monthly('30'), '2027-02-01T00:00:00Z', 3)).toEqual(['2027-01-30', '2027-02-28', '2027-03-30'])
    expect(days(monthly('30'), '2028-02-01T00:00:00Z', 3)).toEqual(['2028-01-30', '2028-02-29', '2028-03-30'])
    expect(days(monthly('29'), '2027-02-01T00:00:00Z', 3)).toEqual(['2027-01-29', '2027-02-28', '2027-03-29'])
    expect(days(monthly('29'), '2028-02-01T00:00:00Z', 3)).toEqual(['2028-01-29', '2028-02-29', '2028-03-29'])
  })

  test('29 February is the 28th in common years, also in 2100', () => {
    const options = { period: 'yearly', anchor: new Date('2024-02-29T00:00:00Z') } as const
    expect(days(options, '2026-03-01T00:00:00Z', 4)).toEqual([
      '2026-02-28',
      '2027-02-28',
      '2028-02-29',
      '2029-02-28',
    ])
    expect(days(options, '2100-03-01T00:00:00Z', 1)).toEqual(['2100-02-28'])
  })

  test('an anchor gives the weekday and time, minute and second, and the day in its zone rather than in UTC', () => {
    const anchor = new Date('2026-06-30T23:17:05.250Z')
    expect(starts({ period: 'weekly', anchor }, '2026-05-15T00:00:00Z', 2)).toEqual([
      '2026-05-12T23:17:05.250Z',
      '2026-05-19T23:17:05.250Z',
    ])
    expect(starts({ period: 'hourly', anchor }, '2026-05-15T00:00:00Z', 2)).toEqual([
      '2026-05-14T23:17:05.250Z',
      '2026-05-15T00:17:05.250Z',
    ])
    // In Tokyo that is already 1 July.
    expect(starts({ period: 'monthly', timeZone: 'Asia/Tokyo', anchor }, '2026-05-15T00:00:00Z', 2)).toEqual([
      '2026-04-30T23:17:05.250Z',
      '2026-05-31T23:17:05.250Z',
    ])
  })

  test.each(['0001-01-31T10:00:00Z', '-200000-01-31T10:00:00Z', '+200000-01-31T10:00:00Z'])(
    'an anchor may be from %s',
    text => {
      const anchor = new Date(text)
      expect(days({ period: 'monthly', anchor }, '2026-02-10T00:00:00Z', 2)).toEqual([
        '2026-01-31',
        '2026-02-28',
      ])
    },
  )
})

describe('edges', () => {
  test('the edges are half-open, to the millisecond and below it', () => {
    const calendar = compileCalendar({ period: 'monthly', timeZone: 'Europe/Berlin' })
    const edge = at('2028-02-29T23:00:00Z')
    expect(calendar.edges(edge - 1)[1]).toBe(edge)
    expect(calendar.edges(edge - 0.001)[1]).toBe(edge)
    expect(calendar.edges(edge)[0]).toBe(edge)
    expect(calendar.edges(edge + 0.5)[0]).toBe(edge)
    const cold = compileCalendar({ period: 'monthly', timeZone: 'Europe/Berlin' })
    expect(cold.edges(edge - 0.001)[1]).toBe(edge)
  })

  test('a period has one frozen tuple of edges, also for a clock that steps back', () => {
    const calendar = compileCalendar({ period: 'hourly', timeZone: 'Asia/Kolkata' })
    const now = at('2026-01-01T10:00:00Z')
    const first = calendar.edges(now)
    expect(Object.isFrozen(first)).toBe(true)
    expect(calendar.edges(first[1] - 1)).toBe(first)
    const second = calendar.edges(first[1])
    expect(calendar.edges(first[1] - 1)).toBe(first)
    expect(calendar.edges(first[1])).toBe(second)
  })

  test('the edges are finite and in order at any date, with the zones’ old offsets too', () => {
    const zones = [
      'UTC',
      'America/Juneau',
      'Asia/Manila',
      'Africa/Monrovia',
      'Europe/Amsterdam',
      'Asia/Pyongyang',
    ]
    const now = fc.oneof(
      fc.integer({ min: Date.UTC(1840, 0, 1), max: Date.UTC(2100, 0, 1) }),
      fc.integer({ min: -8.4e15, max: 8.4e15 }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...zones), fc.constantFrom(...PERIODS), now, (timeZone, period, ms) => {
        const [start, end, nextEnd] = compileCalendar({ period, timeZone }).edges(ms)
        expect(start <= ms && ms < end && end < nextEnd && nextEnd - start < 800 * DAY).toBe(true)
      }),
      { numRuns: isFull ? 400 : 100 },
    )
  })

  test.each([Number.NaN, Infinity, -Infinity, 8.64e15, 1e300])('a clock at %s throws a coded error', now => {
    const calendar = compileCalendar({ period: 'daily' })
    expect(() => calendar.edges(now)).toThrow(expect.objectContaining({ code: 'HALT_E_CLOCK' }))
    expect(iso(calendar.edges(0)[0])).toBe('1970-01-01T00:00:00.000Z')
  })
})

describe('mistakes', () => {
  const code = (options: unknown): unknown => {
    try {
      compileCalendar(options as CalendarOptions)
    } catch (error) {
      return (error as { code?: string }).code
    }
    return undefined
  }

  test.each(['fortnightly', 'MONTHLY', '', 'constructor', undefined, null, 3])(
    'a period of %s is refused',
    period => {
      expect(code({ period })).toBe('HALT_E_PERIOD')
    },
  )

  test.each(['Mars/Olympus', 'Europe/Berlín', '', ' ', null, 5, {}, Symbol('zone')])(
    'a zone of %s is refused',
    timeZone => {
      expect(code({ period: 'daily', timeZone })).toBe('HALT_E_TIME_ZONE')
    },
  )

  test.each([
    ['an invalid Date', new Date(Number.NaN)],
    ['a text', '2026-01-31'],
    ['a number', 1_700_000_000_000],
    ['null', null],
    ['an object', {}],
  ])('an anchor that is %s is refused', (_, anchor) => {
    expect(code({ period: 'daily', anchor })).toBe('HALT_E_ANCHOR')
    expect(code({ period: 'daily', anchor, timeZone: 'Asia/Tokyo' })).toBe('HALT_E_ANCHOR')
  })

  test('the message of a mistake names the given value and the fix', () => {
    expect(() => compileCalendar({ period: 'daily', timeZone: 'Mars/Olympus' })).toThrow(
      'HALT_E_TIME_ZONE: timeZone is "Mars/Olympus", which this runtime does not know. Give an IANA name',
    )
  })
})
