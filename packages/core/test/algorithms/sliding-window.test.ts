import { expect, it } from 'vitest'

import { slidingWindow } from '../../src/algorithms/sliding-window.ts'
import type { State } from '../../src/algorithms/index.ts'
import { micros, play, type Row, ruleOf } from './table.ts'

// 10 sub-windows of 1 s. A unit counts until the last instant of its sub-window has left the window of 10 s.
const rule = ruleOf({ algorithm: 'sliding-window', limit: 5, window: 10 })

it('a sliding window admits its limit in any interval of the window', () => {
  const rows: Row[] = [
    // at, cost, fits, remaining, wait
    [100, 2, true, 3, 0],
    [100.9, 1, true, 2, 0],
    [105, 2, true, 0, 0],
    [105, 1, false, 0, 6],
    [110.9, 1, false, 0, 0.1],
    [111, 3, true, 0, 0],
    [111, 1, false, 0, 5],
    [111, 3, false, 0, 11],
    [116, 2, true, 0, 0],
    [140, 5, true, 0, 0],
  ]
  const played = play(slidingWindow, rule, rows)
  expect(
    played.map(([at, cost, fits, left, wait]) => [at, cost, fits, left, Number(wait.toFixed(6))]),
  ).toEqual(rows)
})

it('a cost above the limit never fits', () => {
  const rows: Row[] = [[100, 6, false, 5, Infinity]]
  expect(play(slidingWindow, rule, rows)).toEqual(rows)
})

it('the counter is fresh when its last unit has left the window', () => {
  const state: State = []
  slidingWindow.charge(state, micros(100.5), 1, rule)
  slidingWindow.charge(state, micros(103.5), 1, rule)
  expect(slidingWindow.freshAt(state)).toBe(micros(114))
  expect(slidingWindow.used(state, micros(111), rule)).toBe(1)
  expect(slidingWindow.used(state, micros(114), rule)).toBe(0)
})

it('units of one sub-window share a pair of the state', () => {
  const state: State = []
  slidingWindow.charge(state, micros(100.1), 1, rule)
  slidingWindow.charge(state, micros(100.8), 2, rule)
  expect(state).toEqual([0, micros(111), 3])
})

it.each([
  // refund at s, units, used after the refund
  [105, 1, 4],
  [105, 9, 2],
  [111, 9, 2],
])(
  'a refund at %i s of %i units goes to the charged sub-window only, and leaves %i used',
  (at, units, used) => {
    const state: State = []
    slidingWindow.charge(state, micros(100), 3, rule)
    slidingWindow.charge(state, micros(104), 2, rule)
    slidingWindow.refund(state, micros(at), units, rule, slidingWindow.chargedTo(state, micros(100), rule))
    expect(slidingWindow.used(state, micros(at), rule)).toBe(used)
  },
)

it('a smaller precision merges the oldest sub-windows, and never admits more', () => {
  const state: State = []
  for (let second = 0; second < 5; second++) slidingWindow.charge(state, micros(100 + second), 1, rule)
  const coarse = ruleOf({ algorithm: 'sliding-window', limit: 6, window: 10, precision: 1 })
  slidingWindow.charge(state, micros(105), 1, coarse)
  expect(state.length).toBe(5)
  expect(slidingWindow.used(state, micros(105), coarse)).toBe(6)
  expect(slidingWindow.fits(state, micros(112), 3, coarse)).toBe(false)
})
