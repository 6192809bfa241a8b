import { describe, expect, it } from 'vitest'

import type { Pace } from '../../src/queue/contestant.ts'
import {
  largestInversion,
  mostAbove,
  mostAhead,
  mostWithin,
  shareUsed,
  type Start,
} from '../../src/queue/starts.ts'

const PACE: Pace = { limit: 100, windowMs: 1000 }
const at = (...times: number[]): Start[] => times.map(started => ({ asked: 0, started }))
const every = (gap: number, count: number): Start[] => at(...Array.from({ length: count }, (_, i) => i * gap))

describe('the jobs above a pace', () => {
  it('no job is above a pace if the jobs come at the pace, or a little late', () => {
    expect(mostAbove(every(10, 500), PACE)).toBe(0)
    expect(mostAbove(at(0, 19, 20, 30, 49, 50), PACE)).toBe(0)
  })

  it('all jobs of a rush but the first are above a pace', () => {
    expect(mostAbove(at(...Array.from({ length: 100 }, () => 5)), PACE)).toBe(99)
  })

  it('mostAbove finds the worst window, whatever its length', () => {
    expect(mostAbove([...every(10, 50), ...at(1000, 1000, 1000)], PACE)).toBe(2)
    // A little too fast for a long time.
    expect(mostAbove(every(9, 1000), PACE)).toBe(99)
  })

  it('mostAbove does not depend on the order in which the starts were told', () => {
    expect(mostAbove(every(10, 50).toReversed(), PACE)).toBe(0)
  })
})

describe('the jobs ahead of a pace', () => {
  it('no job is ahead of a pace if the jobs come at it, or if some come late and then together', () => {
    expect(mostAhead(every(10, 500), PACE)).toBe(0)
    expect(mostAhead(at(5, 15, 95, 95, 95, 95, 95, 95, 95, 96), PACE)).toBe(0)
  })

  it('the jobs that start before their time are ahead of a pace', () => {
    expect(mostAhead(at(0, 0, 0, 300), PACE)).toBe(2)
    expect(mostAhead(every(9, 101), PACE)).toBe(10)
    expect(mostAhead([...every(10, 50), ...at(490)], PACE)).toBe(1)
  })
})

it('the most starts within a window do not include both of its edges', () => {
  expect(mostWithin(every(10, 500), 1000)).toBe(100)
  expect(mostWithin(at(0, 999, 1000, 1001), 1000)).toBe(3)
})

it('the share of the pace is one if the last job starts on time, and a half if it starts twice as late', () => {
  expect(shareUsed(every(10, 101), PACE)).toBe(1)
  expect(shareUsed(every(20, 101), PACE)).toBe(0.5)
})

describe('the largest inversion', () => {
  const start = (asked: number, started: number): Start => ({ asked, started })

  it('the largest inversion is zero if the jobs start in the order in which they were asked for', () => {
    expect(largestInversion([start(2, 20), start(1, 10), start(3, 30)])).toBe(0)
  })

  it('the largest inversion is the time by which a job was asked for before one that started earlier', () => {
    expect(largestInversion([start(7, 10), start(1, 20), start(5, 30)])).toBe(6)
  })
})
