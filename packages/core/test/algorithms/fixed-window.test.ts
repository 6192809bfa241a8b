import { expect, it } from 'vitest'

import { fixedWindow } from '../../src/algorithms/fixed-window.ts'
import type { State } from '../../src/algorithms/index.ts'
import { micros, play, type Row, ruleOf } from './table.ts'

const rule = ruleOf({ algorithm: 'fixed-window', limit: 5, window: 10 })

it('a fixed window admits its limit from the first charge until the window ends', () => {
  const rows: Row[] = [
    // at, cost, fits, remaining, wait
    [103, 3, true, 2, 0],
    [105, 3, false, 2, 8],
    [105, 2, true, 0, 0],
    [112, 1, false, 0, 1],
    [113, 5, true, 0, 0],
    [122, 1, false, 0, 1],
    [140, 1, true, 4, 0],
    [149, 4, true, 0, 0],
  ]
  expect(play(fixedWindow, rule, rows)).toEqual(rows)
})

it('a fixed window admits twice its limit around the end of a window', () => {
  const rows: Row[] = [
    [100, 1, true, 4, 0],
    [109, 4, true, 0, 0],
    [110, 5, true, 0, 0],
  ]
  expect(play(fixedWindow, rule, rows)).toEqual(rows)
})

it('a cost above the limit never fits', () => {
  const rows: Row[] = [[100, 6, false, 5, Infinity]]
  expect(play(fixedWindow, rule, rows)).toEqual(rows)
})

it('the counter is fresh from the end of its window', () => {
  const state: State = []
  fixedWindow.charge(state, micros(103), 2, rule)
  expect(fixedWindow.freshAt(state)).toBe(micros(113))
  expect(fixedWindow.used(state, micros(113) - 1, rule)).toBe(2)
  expect(fixedWindow.used(state, micros(113), rule)).toBe(0)
})

it.each([
  // refund at s, units, used after the refund
  [105, 2, 3],
  [112, 9, 0],
])('a refund at %i s of %i units leaves %i used in the same window', (at, units, used) => {
  const state: State = []
  fixedWindow.charge(state, micros(103), 5, rule)
  const window = fixedWindow.chargedTo(state, micros(103), rule)
  fixedWindow.refund(state, micros(at), units, rule, window)
  expect(fixedWindow.used(state, micros(at), rule)).toBe(used)
})

it('a refund of an ended window changes nothing in the next window', () => {
  const state: State = []
  fixedWindow.charge(state, micros(103), 5, rule)
  const window = fixedWindow.chargedTo(state, micros(103), rule)
  fixedWindow.charge(state, micros(120), 4, rule)
  fixedWindow.refund(state, micros(121), 3, rule, window)
  expect(fixedWindow.used(state, micros(121), rule)).toBe(4)
})
