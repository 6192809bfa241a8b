// The judges of several policies themselves: each must find what is wrong in a town that was made to be wrong, and nothing in one that is right.
import { describe, expect, it } from 'vitest'

import { inVirtualTime } from '../rows.ts'
import { viewOf } from '../world.ts'
import { type Counter, counterOf, type Given } from './counters.ts'
import { endingOf } from './endings.ts'
import { idealOf, type Job } from './ideal.ts'
import { longestStillness } from './idle.ts'
import {
  dueOf,
  excessesOf,
  heldTooLong,
  mostHeld,
  mostOvertaken,
  refusedInPatience,
  refusedLate,
  STEADY,
} from './judges.ts'
import { type Entry, excessOf, NOTHING } from './ledger.ts'
import { untrueWaits } from './told.ts'
import { aTown, workers } from './town-rows.ts'
import type { Call, Town } from './town.ts'

inVirtualTime()

const SECOND = 1_000_000
const user = { keyStrategy: 'user' } as const
const bucket: Given = { name: 'fast', limit: 10, window: '1s', burst: 2, ...user }
const slow: Given = { name: 'slow', limit: 60, window: '1m', burst: 60, ...user }

const at = (...instants: number[]): Entry[] => instants.map(each => ({ at: each, units: 1 }))
const over = (policy: Given, entries: Entry[], allowed = NOTHING): number =>
  excessOf(counterOf(policy), entries, allowed)

describe('the book of several policies', () => {
  it('the book allows a bucket its burst at once, and then the rate', () => {
    expect(over(bucket, at(0, 0, 100_000, 200_000, 300_000))).toBe(0)
  })

  it('the book finds a start of a bucket that is a microsecond early, wherever it is', () => {
    expect(over(bucket, at(0, 0, 99_999))).toBeCloseTo(0.00001, 9)
    expect(over(bucket, at(0, 5 * SECOND, 5 * SECOND, 5 * SECOND + 99_999))).toBeCloseTo(0.00001, 9)
  })

  it('the book allows a bucket a start that is as late as was said, and no more', () => {
    const late = { ...NOTHING, late: 12_000 }
    expect(over(bucket, at(0, 0, 88_000), late)).toBeCloseTo(0, 9)
    expect(over(bucket, at(0, 0, 87_000), late)).toBeCloseTo(0.01, 9)
  })

  it('the book counts units that came back in the intervals that they touch', () => {
    const grants = [{ from: SECOND, to: 2 * SECOND, units: 1, why: 'refund' }]
    expect(over(bucket, at(SECOND, SECOND, SECOND), { ...NOTHING, grants })).toBe(0)
    expect(over(bucket, at(3 * SECOND, 3 * SECOND, 3 * SECOND), { ...NOTHING, grants })).toBe(1)
  })

  it('the book pays each limit for as long as it held, and a lowered one for as long as nobody may have heard', () => {
    const counter: Counter = counterOf(bucket)
    counter.limits.push({ at: SECOND, value: 1 })
    const steady = Array.from({ length: 12 }, (_, i) => ({ at: Math.max(0, i - 1) * 100_000, units: 1 }))
    const more = [...steady, { at: 1_500_000, units: 1 }, { at: 1_600_000, units: 1 }]
    expect(excessOf(counter, steady)).toBe(0)
    expect(excessOf(counter, more)).toBeCloseTo(1.4, 9)
    expect(excessOf(counter, more, { ...NOTHING, hear: SECOND })).toBe(0)
  })

  it('the book allows a fixed window its limit until a window after its first unit', () => {
    const window: Given = { name: 'w', algorithm: 'fixed-window', limit: 2, window: '1s' }
    expect(over(window, at(0, 900_000, 1_000_000, 1_000_001))).toBe(0)
    expect(over(window, at(0, 900_000, 999_999))).toBe(1)
  })

  it('the book allows a sliding window its limit in each interval as long as the window', () => {
    const window: Given = { name: 'w', algorithm: 'sliding-window', limit: 2, window: '1s' }
    expect(over(window, at(0, 900_000, 1_000_000, 1_900_000))).toBe(0)
    expect(over(window, at(0, 900_000, 1_000_000, 1_899_999))).toBe(1)
  })

  it('the book allows a quota its limit in each hour of the clock', () => {
    const quota: Given = { name: 'q', period: 'hourly', limit: 1 }
    expect(over(quota, at(3599 * SECOND, 3600 * SECOND))).toBe(0)
    expect(over(quota, at(3598 * SECOND, 3599 * SECOND))).toBe(1)
  })

  it('the book allows as many requests in flight as their limit', () => {
    const flight: Given = { name: 'f', algorithm: 'concurrency', limit: 1, ttl: '1m' }
    expect(
      over(flight, [
        { at: 0, units: 1, until: 10 },
        { at: 10, units: 1, until: 20 },
      ]),
    ).toBe(0)
    expect(
      over(flight, [
        { at: 0, units: 1, until: 11 },
        { at: 10, units: 1, until: 20 },
      ]),
    ).toBe(1)
  })
})

describe('what is due', () => {
  const job = (client: string, isSteady = true): Job => ({
    client,
    at: 0,
    maxWait: Infinity,
    units: () => 1,
    isSteady,
  })
  const options = { until: 300 * SECOND, again: 0, held: 0 }

  it('60 per minute are due beside 10 per second, and the burst of the slow bucket', () => {
    const counters = [{ ...bucket, burst: 10 } as Given, slow].map(counterOf)
    const starts = idealOf(
      counters,
      Array.from({ length: 20 }, () => job('c')),
      options,
    )
    expect(starts).toHaveLength(60 + 300)
    // The fast bucket spaces them until the slow one is empty.
    expect(starts[59]!.at).toBe(5 * SECOND)
  })

  it('three calls of each of five customers are due after 12 s at one per 6 s for each', () => {
    const each: Given = { name: 'each', limit: 10, window: '1m', burst: 1, ...user }
    const all: Given = { name: 'all', limit: 10, window: '1s', keyStrategy: 'shared' }
    const jobs = Array.from({ length: 15 }, (_, i) => job(`c${i % 5}`, false))
    const starts = idealOf([all, each].map(counterOf), jobs, options)
    expect(starts.map(start => start.at / SECOND)).toEqual([0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 12, 12, 12, 12, 12])
  })

  it('a caller whose wait would be longer than it wants is not due', () => {
    const jobs = Array.from({ length: 5 }, () => ({ ...job('c', false), maxWait: 150_000 }))
    expect(idealOf([counterOf(bucket)], jobs, options)).toHaveLength(3)
  })
})

/** A town of which only the calls are read. */
function told(calls: readonly Partial<Call>[], policies: readonly Given[] = [bucket], options = {}): Town {
  const all = calls.map((call, id) => ({
    id,
    process: 0,
    client: 'c',
    units: 1,
    askedAt: 0,
    maxWait: SECOND,
    ...call,
  }))
  const starts = all.filter(({ end }) => end === 'started').toSorted((a, b) => a.endedAt! - b.endedAt!)
  return {
    calls: all,
    starts,
    counters: policies.map(counterOf),
    grants: [],
    hear: 0,
    delays: { least: 0, most: 1000 },
    time: { now: 100 * SECOND },
    options,
  } as unknown as Town
}

const started = (endedAt: number, rest: Partial<Call> = {}): Partial<Call> => ({
  end: 'started',
  endedAt,
  ...rest,
})
const refused = (endedAt: number, retryAfter: number, rest: Partial<Call> = {}): Partial<Call> => ({
  end: 'refused',
  reason: 'limited',
  endedAt,
  retryAfter,
  ...rest,
})

describe('the judges', () => {
  it('the judges name the counter that was exceeded, of the client that it was', () => {
    const calls = [
      started(0),
      started(0),
      started(0, { client: 'd' }),
      started(0, { client: 'd' }),
      started(0, { client: 'd' }),
    ]
    const [worst, other] = excessesOf(told(calls, [bucket, slow]), { late: 0 })
    expect(worst).toEqual({ counter: 'fast', key: 'fast of d', units: 1, calls: 1 })
    expect(other!.calls).toBeLessThan(0)
  })

  it('the judges find an answer that came too late, or never', () => {
    expect(heldTooLong(told([started(1.2 * SECOND), started(1.4 * SECOND), {}]))).toHaveLength(2)
  })

  it('the judges find a caller that was refused after it was held, and one that was refused too soon', () => {
    expect(refusedLate(told([refused(1000, 1), refused(SECOND, 1)]))).toHaveLength(1)
    expect(refusedInPatience(told([refused(1000, 2 * SECOND), refused(1000, 0.5 * SECOND)]))).toHaveLength(1)
  })

  it('the judges count those who are held, and not those who are being answered', () => {
    const calls = [{}, {}, started(1000), started(50_000), { askedAt: 60_000 }]
    expect(mostHeld(told(calls))).toBe(3)
  })

  it('the judges count the later callers that started before an earlier one of the same client and cost', () => {
    const later = [1, 2, 3].map(i => started(10_000 * i, { askedAt: i }))
    expect(mostOvertaken(told([started(50_000), ...later]), true)).toBe(3)
    expect(mostOvertaken(told([started(5000), ...later]), true)).toBe(0)
    expect(mostOvertaken(told([started(50_000, { units: 2 }), ...later]), true)).toBe(0)
  })

  it('the judges find a wait that was told and is too early or too late', () => {
    const ahead = [started(0), started(0), {}, {}]
    const byOf = (retryAfter: number): number[] =>
      untrueWaits(told([...ahead, refused(1000, retryAfter)])).map(({ by }) => by)
    // Two wait, so the next one starts after 300 ms, and after 100 ms if they leave.
    expect(byOf(299_000)).toEqual([])
    expect(byOf(99_000)).toEqual([])
    expect(byOf(60_000)).toEqual([-31_000])
    expect(byOf(800_000)).toEqual([501_000])
  })
})

describe('callers that stand still', () => {
  it('the judges find the longest time in which nobody started, though a caller could have', () => {
    const calls = [
      started(0),
      started(0),
      started(4 * SECOND),
      started(4.1 * SECOND),
      started(5 * SECOND, { askedAt: 4.5 * SECOND }),
    ]
    const town = Object.assign(told(calls), { until: 5 * SECOND })
    expect(longestStillness(town)).toEqual({ client: 'c', from: 100_000, to: 4 * SECOND })
    expect(longestStillness(told([started(0), started(0), started(100_000)]))).toBeUndefined()
  })
})

describe('a town that is judged by another policy than its own', () => {
  it('a limiter that admits a tenth too much is found by the book, and one that admits a tenth too little by what is due', async () => {
    for (const [limit, isTooMuch] of [
      [11, true],
      [9, false],
      [10, undefined],
    ] as const) {
      const town = await aTown({ policies: [{ ...bucket, limit } as Given] })
      Object.assign(town, { counters: [counterOf(bucket)] })
      workers(town, 10)
      await town.pass(6000)
      const most = Math.max(...excessesOf(town).map(({ calls }) => calls))
      expect(most > STEADY.calls).toBe(isTooMuch === true)
      expect(town.starts.length < 0.97 * dueOf(town).length).toBe(isTooMuch === false)
      town.until = 0
      await town.pass(3000)
      town.end()
    }
  })

  it('units that somebody takes for nobody are found at the end, and a check that is refused for them', async () => {
    const town = await aTown({ policies: [bucket, { ...slow, window: '1h', burst: 10 } as Given] })
    for (let i = 0; i < 3; i++) town.ask({ units: { fast: 1, slow: 2 } })
    await town.pass(1000)
    const { limiter } = town.processes[0]!
    await town.soon(limiter.check(viewOf('c0'), { cost: { fast: 1, slow: 4 } }))
    const { said, leftover } = await endingOf(town, true)
    expect(leftover).toBe(4)
    expect(said.join('\n')).toMatch(
      /^charged for nobody: 4 units of slow of c0, which has 4\na plain check of c0 is refused, though the book allows it/,
    )
  })

  it('callers who have no answer, and a line that still stands, are found at the end', async () => {
    const town = await aTown({ policies: [bucket] })
    for (let i = 0; i < 5; i++) town.ask({ maxWaitMs: 5000 })
    await town.pass(20)
    // As if the process had lost its timers.
    const { signal } = town.calls[4]!.leaving
    Object.defineProperty(town.calls[4]!, 'leaving', { value: { signal, abort: () => {} } })
    town.calls[4]!.end = 'started'
    town.calls[4]!.endedAt = 400_000
    town.calls.push({ ...town.calls[4]!, id: 5, leaving: new AbortController() })
    delete town.calls[5]!.end
    delete town.calls[5]!.endedAt
    const { said } = await endingOf(town, true)
    expect(said).toContain('forgotten: 1 callers have no answer')
  })
})
