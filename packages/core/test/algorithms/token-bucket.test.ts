import { expect, it } from 'vitest'

import { tokenBucket } from '../../src/algorithms/token-bucket.ts'
import type { State } from '../../src/algorithms/index.ts'
import { micros, play, type Row, ruleOf } from './table.ts'

// 5 units per 10 s: one unit flows back every 2 s.
const rule = ruleOf({ algorithm: 'token-bucket', limit: 5, window: 10 })

it('a token bucket admits its capacity at once and refills continuously', () => {
  const rows: Row[] = [
    // at, cost, fits, remaining, wait
    [100, 3, true, 2, 0],
    [100, 3, false, 2, 2],
    [100, 2, true, 0, 0],
    [101, 1, false, 0, 1],
    [102, 1, true, 0, 0],
    [105, 1, true, 0, 0],
    [105, 1, false, 0, 1],
    [106, 1, true, 0, 0],
    [116, 5, true, 0, 0],
    [500, 5, true, 0, 0],
  ]
  expect(play(tokenBucket, rule, rows)).toEqual(rows)
})

it('a burst above the limit lets more through at once', () => {
  const burst = ruleOf({ algorithm: 'token-bucket', limit: 5, window: 10, capacity: 8 })
  const rows: Row[] = [
    [100, 8, true, 0, 0],
    [100, 1, false, 0, 2],
    [116, 8, true, 0, 0],
  ]
  expect(play(tokenBucket, burst, rows)).toEqual(rows)
})

it('a burst below the limit spreads requests over the window', () => {
  const burst = ruleOf({ algorithm: 'token-bucket', limit: 5, window: 10, capacity: 1 })
  const rows: Row[] = [
    [100, 1, true, 0, 0],
    [101, 1, false, 0, 1],
    [102, 1, true, 0, 0],
  ]
  expect(play(tokenBucket, burst, rows)).toEqual(rows)
})

it('a cost above the capacity never fits', () => {
  const rows: Row[] = [[100, 6, false, 5, Infinity]]
  expect(play(tokenBucket, rule, rows)).toEqual(rows)
})

it('a third of a unit is exact', () => {
  // 3 units per second: one unit flows back every 333 333 ⅓ microseconds.
  const thirds = ruleOf({ algorithm: 'token-bucket', limit: 3, window: 1 })
  const state: State = []
  tokenBucket.charge(state, 0, 3, thirds)
  expect(tokenBucket.wait(state, 0, 1, thirds)).toBe(333_334)
  expect(tokenBucket.fits(state, 333_333, 1, thirds)).toBe(false)
  expect(tokenBucket.fits(state, 333_334, 1, thirds)).toBe(true)
  expect(tokenBucket.freshAt(state)).toBe(1_000_000)
})

it('a charge beyond the capacity becomes debt that the refill pays back', () => {
  const state: State = []
  tokenBucket.charge(state, micros(100), 7, rule)
  expect(tokenBucket.used(state, micros(100), rule)).toBe(7)
  expect(tokenBucket.remaining(state, micros(100), rule)).toBe(0)
  expect(tokenBucket.wait(state, micros(100), 1, rule)).toBe(micros(6))
  expect(tokenBucket.freshAt(state)).toBe(micros(114))
})

it.each([
  // refund after s, units, used after the refund
  [0, 2, 3],
  [2, 2, 2],
  [2, 9, 0],
  [20, 2, 0],
])('a refund after %i s of %i units leaves %i used', (after, units, used) => {
  const state: State = []
  const now = micros(100 + after)
  tokenBucket.charge(state, micros(100), 5, rule)
  tokenBucket.refund(state, now, units, rule, 0)
  expect(tokenBucket.used(state, now, rule)).toBe(used)
})

it('a changed limit keeps the used units', () => {
  const state: State = []
  tokenBucket.charge(state, micros(100), 4, rule)
  const larger = ruleOf({ algorithm: 'token-bucket', limit: 20, window: 10 })
  expect(tokenBucket.used(state, micros(100), larger)).toBe(4)
  expect(tokenBucket.remaining(state, micros(101), larger)).toBe(18)
})

it('a clock that steps back pays nothing back twice', () => {
  const state: State = []
  tokenBucket.charge(state, micros(100), 5, rule)
  tokenBucket.charge(state, micros(90), 0, rule)
  expect(tokenBucket.remaining(state, micros(102), rule)).toBe(1)
})
