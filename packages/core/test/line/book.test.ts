// The judges themselves: each must find what is wrong in a history that was made to be wrong, and nothing in one that is right.
import { describe, expect, it } from 'vitest'

import { envelope, worstExcess } from './book.ts'
import { differences } from './exact.ts'
import { longestIdle } from './idle.ts'
import { type Ask, journal, type Journal } from './journal.ts'
import { failures, heldTooLong, outOfOrder, startedInPause } from './judges.ts'
import type { Arrival } from './network.ts'

const SECOND = 1_000_000
const MINUTE = 60 * SECOND
const exactly = { lag: 0, grantLag: 0 }

/** A journal of callers of one process that asked at one instant and ended at another. */
function told(
  ends: readonly {
    at: number
    cost?: number
    asked?: number
    process?: number
    end?: Ask['end']
    maxWait?: number
  }[],
  rate = 10,
  capacity = 2,
): Journal {
  const book = journal(SECOND, rate, capacity)
  for (const [
    id,
    { at, cost = 1, asked = 0, process = 0, end = 'started', maxWait = MINUTE },
  ] of ends.entries())
    book.asks.push({
      id,
      process,
      cost,
      user: 'u0',
      askedAt: asked,
      waits: true,
      maxWait,
      end,
      endedAt: at,
      endOrder: id,
    })
  return book
}

const at = (...instants: number[]) => told(instants.map(each => ({ at: each })))

describe('the book', () => {
  it('the book allows a capacity at once, and then the rate', () => {
    expect(worstExcess(at(0, 0, 100_000, 200_000, 300_000), exactly)).toBeUndefined()
  })

  it('the book finds a start that is a microsecond early', () => {
    expect(worstExcess(at(0, 0, 99_999), exactly)).toEqual({
      from: 0,
      to: 99_999,
      started: 3,
      allowed: 2.99999,
    })
  })

  it('the book finds an excess that lies between quiet times', () => {
    const found = worstExcess(at(0, SECOND, 5 * SECOND, 5 * SECOND, 5_000_001, 9 * SECOND), exactly)
    expect(found).toMatchObject({ from: 5 * SECOND, to: 5_000_001, started: 3 })
  })

  it('the book counts units, not callers', () => {
    const starts = [
      { at: 0, cost: 2 },
      { at: 199_999, cost: 2 },
    ]
    expect(worstExcess(told(starts), exactly)).toMatchObject({ started: 4 })
    expect(worstExcess(told([starts[0]!, { at: 200_000, cost: 2 }]), exactly)).toBeUndefined()
  })

  it('the book allows starts that are late by the lag, and no more', () => {
    const late = (count: number): Journal => at(...Array.from({ length: count }, () => SECOND))
    expect(worstExcess(late(12), exactly)).toMatchObject({ started: 12, allowed: 2 })
    expect(worstExcess(late(12), { lag: SECOND, grantLag: 0 })).toBeUndefined()
    expect(worstExcess(late(13), { lag: SECOND, grantLag: 0 })).toMatchObject({ started: 13, allowed: 12 })
  })

  it('the book allows refunds of the interval and shortly before, once, and no later ones', () => {
    const refunded = (when: number): Journal => {
      const book = at(...[5, 5, 5, 5].map(second => second * SECOND))
      book.grants.push({ from: when, to: when, units: 2, why: 'refund' })
      return book
    }
    expect(worstExcess(refunded(5 * SECOND), exactly)).toBeUndefined()
    expect(worstExcess(refunded(4 * SECOND), exactly)).toMatchObject({ started: 4, allowed: 2 })
    expect(worstExcess(refunded(4 * SECOND), { lag: 0, grantLag: SECOND })).toBeUndefined()
    expect(worstExcess(refunded(5_000_001), exactly)).toMatchObject({ started: 4, allowed: 2 })
    const twice = refunded(5 * SECOND)
    twice.asks.push(
      ...refunded(0).asks.map(ask => ({ ...ask, endedAt: 15 * SECOND, endOrder: 10 + ask.endOrder! })),
    )
    expect(worstExcess(twice, exactly)).toMatchObject({ from: 15 * SECOND, started: 4, allowed: 2 })
  })

  it('the book pays the rates that held, and the higher one while a change is not heard of', () => {
    const lowered = (starts: number[]): Journal => {
      const book = at(...starts)
      book.rates.push({ at: SECOND, value: 1 })
      return book
    }
    const busy = Array.from({ length: 20 }, (_, i) => i * 100_000)
    expect(worstExcess(lowered(busy), exactly)).toBeDefined()
    expect(worstExcess(Object.assign(lowered(busy), { hear: SECOND }), exactly)).toBeUndefined()
    expect(
      worstExcess(
        Object.assign(lowered([...busy, 2_100_000, 2_200_000, 2_300_000]), { hear: SECOND }),
        exactly,
      ),
    ).toBeDefined()
  })

  it('the book allows the larger of two capacities only around the change', () => {
    const raised = (second: number): Journal => {
      const book = at(...Array.from({ length: 5 }, () => second * SECOND))
      book.capacities.push({ at: 3 * SECOND, value: 5 }, { at: 6 * SECOND, value: 2 })
      return book
    }
    expect(worstExcess(raised(4), exactly)).toBeUndefined()
    expect(worstExcess(raised(2), exactly)).toMatchObject({ allowed: 2 })
    expect(worstExcess(raised(8), exactly)).toMatchObject({ allowed: 2 })
  })

  it('the book adds the shares of an outage while it lasts', () => {
    const book = at(...Array.from({ length: 40 }, (_, i) => SECOND + i * 50_000))
    expect(worstExcess(book, exactly)).toBeDefined()
    book.shares.push({ from: SECOND, to: 3 * SECOND, rate: 10, why: 'outage' })
    expect(worstExcess(book, exactly)).toBeUndefined()
    expect(envelope(book.rates, 0, Math.max, book.shares)).toEqual([
      { at: -Infinity, value: 10 },
      { at: SECOND, value: 20 },
      { at: 3 * SECOND, value: 10 },
    ])
  })

  it('the book finds in random starts exactly what a bucket that counts them finds', () => {
    let seed = 7
    const random = (most: number): number => (seed = (seed * 48_271) % 2_147_483_647) % most
    let excesses = 0
    for (let run = 0; run < 300; run++) {
      let when = 0
      const starts = Array.from({ length: 12 }, () => ({
        at: (when += random(500_000)),
        cost: 1 + random(2),
      }))
      let [debt, last, isOver] = [0, 0, false]
      for (const start of starts) {
        debt = Math.max(0, debt - (start.at - last) * 10) + start.cost * SECOND
        last = start.at
        isOver ||= debt > 2 * SECOND
      }
      expect(worstExcess(told(starts), exactly) !== undefined).toBe(isOver)
      excesses += isOver ? 1 : 0
    }
    expect(excesses).toBeGreaterThan(30)
    expect(excesses).toBeLessThan(300)
  })
})

describe('the judge of order', () => {
  it('the judge of order finds a caller that started before one of its process that had asked earlier', () => {
    const book = at(0, 1, 2)
    expect(outOfOrder(book)).toEqual([])
    Object.assign(book.asks[0]!, { endOrder: 9 })
    expect(outOfOrder(book)).toEqual([[0, 2]])
  })

  it('the judge of order looks at each process by itself, and passes over those that never started', () => {
    const book = told([{ at: 3, process: 1 }, { at: 2 }, { at: 1, end: 'left' }])
    book.asks.forEach((ask, i) => (ask.endOrder = 3 - i))
    expect(outOfOrder(book)).toEqual([])
  })
})

describe('the judge of idleness', () => {
  it('the judge of idleness finds a caller that stood still with room', () => {
    expect(longestIdle(at(0, 0, 5 * SECOND))).toEqual({ from: 100_000, to: 5 * SECOND, waiting: 1 })
    expect(longestIdle(at(0, 0, 100_000, 200_000))).toBeUndefined()
  })

  it('the judge of idleness counts refunds, overdrafts, and pauses', () => {
    const book = at(0, 0, 100_000)
    book.corrections.push({ at: 50_000, units: 1 })
    expect(longestIdle(book)).toMatchObject({ from: 50_000, to: 100_000 })
    const overdrawn = at(0, 0, 1_100_000)
    overdrawn.corrections.push({ at: 50_000, units: -10 })
    expect(longestIdle(overdrawn)).toBeUndefined()
    const paused = at(0, 0, 1_100_000)
    paused.still.push({ from: 60_000, to: SECOND, why: 'pause' })
    expect(longestIdle(paused)).toMatchObject({ from: SECOND, to: 1_100_000 })
  })

  it('the judge of idleness blames no line in which nobody waited, or whose first caller was too expensive', () => {
    expect(longestIdle(told([{ at: 0 }, { at: 0 }, { at: 9_020_000, asked: 9 * SECOND }]))?.to).toBe(
      9_020_000,
    )
    expect(longestIdle(told([{ at: 0 }, { at: 0 }, { at: 9_010_000, asked: 9 * SECOND }]))).toBeUndefined()
    expect(
      longestIdle(
        told([
          { at: 0, cost: 2 },
          { at: 200_000, cost: 2 },
        ]),
      ),
    ).toBeUndefined()
  })
})

describe('the judge of patience', () => {
  it('the judge of patience finds callers that were held longer than they wanted, or without an answer', () => {
    const book = told([
      { at: 500_000, maxWait: 400_000 },
      { at: 300_000, maxWait: 400_000 },
    ])
    book.asks.push({ ...book.asks[0]!, id: 2, end: undefined as never, endedAt: undefined as never })
    expect(heldTooLong(book, 50_000).map(({ id }) => id)).toEqual([0, 2])
  })

  it('the judge of patience finds calls that failed', () => {
    expect(failures(told([{ at: 0 }, { at: 0, end: 'failed' }])).map(({ id }) => id)).toEqual([1])
  })
})

describe('the judge of pauses', () => {
  it('the judge of pauses finds starts in a pause, and those of a user who is blocked', () => {
    const book = at(SECOND, 2 * SECOND, 3 * SECOND)
    book.closed.push({ from: 1_500_000, to: 2_500_000, why: 'pause' })
    book.closed.push({ from: 2_500_000, to: 4_000_000, why: 'block', user: 'u1' })
    expect(startedInPause(book).map(({ id }) => id)).toEqual([1])
    Object.assign(book.asks[2]!, { user: 'u1' })
    expect(startedInPause(book).map(({ id }) => id)).toEqual([1, 2])
  })
})

describe('the exact book', () => {
  const arrivals = (...instants: number[]): Arrival[] =>
    instants.map((instant, caller) => ({ process: 0, caller, at: instant, method: 'evaluate' }))

  it('the exact book finds nothing where everybody starts at its instant', () => {
    expect(differences(at(0, 0, 100_000, 200_000), arrivals(0, 0, 0, 0), 1000)).toEqual([])
  })

  it('the exact book finds starts that are early or late by a microsecond', () => {
    const found = differences(at(0, 0, 99_999, 201_001), arrivals(0, 0, 0, 0), 1000)
    expect(found.map(({ id, what }) => [id, what])).toEqual([
      [2, 'started 1 microseconds early'],
      [3, 'started 1001 microseconds late'],
    ])
  })

  it('the exact book finds wrong refusals, wrong waits, more calls than one, and calls that never came', () => {
    const book = told([
      { at: 0 },
      { at: 0 },
      { at: 0, end: 'refused', maxWait: 99_999 },
      { at: 0, end: 'refused' },
      { at: 100_000, end: 'started', maxWait: 99_000 },
      { at: 200_000 },
    ])
    Object.assign(book.asks[2]!, { retryAfter: 99_000 })
    const calls = [...arrivals(0, 0, 0, 0, 0), { process: 0, caller: 0, at: 9, method: 'evaluate' }]
    expect(differences(book, calls, 1000).map(({ id, what }) => [id, what])).toEqual([
      [0, '2 calls of the store'],
      [2, 'told 99000 microseconds instead of 100000'],
      [3, 'should start, and was refused'],
      [4, 'should be refused, and was started'],
      [5, 'did not ask the store'],
    ])
  })
})
