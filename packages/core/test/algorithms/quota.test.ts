import { describe, expect, it } from 'vitest'

import { grantedAt, quota } from '../../src/algorithms/quota.ts'
import type { Edges, State } from '../../src/algorithms/index.ts'
import { micros, play, type Row, ruleOf } from './table.ts'

const rule = ruleOf({ algorithm: 'quota', limit: 5, window: 1000 })
// The present period is 100 s to 200 s; the next one ends at 350 s.
const edges: Edges = [micros(100), micros(200), micros(350)]

it('a quota admits its limit per calendar period', () => {
  const rows: Row[] = [
    // at, cost, fits, remaining, wait
    [150, 3, true, 2, 0],
    [199, 3, false, 2, 1],
    [199, 2, true, 0, 0],
    [200, 5, true, 0, 0],
    [349, 1, false, 0, 1],
    [350, 1, true, 4, 0],
  ]
  expect(play(quota, rule, rows, [], edges)).toEqual(rows)
})

it('a quota uses the edges of the period that the store’s clock is in', () => {
  const rows: Row[] = [
    [99, 5, true, 0, 0],
    [99, 1, false, 0, 1],
    [100, 5, true, 0, 0],
  ]
  expect(play(quota, rule, rows, [], edges)).toEqual(rows)
})

it('a quota without edges counts for the length of the window', () => {
  const state: State = []
  quota.charge(state, micros(150), 1, rule)
  expect(quota.freshAt(state)).toBe(micros(1150))
})

describe('a grant', () => {
  it('a grant raises the limit until the period ends', () => {
    const state: State = []
    quota.charge(state, micros(150), 5, rule, edges)
    quota.grant?.(state, micros(150), 3, rule, edges)
    expect(quota.limit(state, micros(150), rule)).toBe(8)
    const rows: Row[] = [
      [150, 2, true, 1, 0],
      [150, 2, false, 1, 50],
      [150, 1, true, 0, 0],
      [200, 5, true, 0, 0],
      [200, 1, false, 0, 150],
    ]
    expect(play(quota, rule, rows, state, edges)).toEqual(rows)
    expect(grantedAt(state, micros(200))).toBe(0)
  })

  it('a grant makes no later period admit a cost above the plain limit', () => {
    const state: State = []
    quota.grant?.(state, micros(150), 3, rule, edges)
    quota.charge(state, micros(150), 1, rule, edges)
    expect(quota.wait(state, micros(150), 8, rule)).toBe(Infinity)
  })

  it('a grant adds to an earlier grant of the same period', () => {
    const state: State = []
    quota.grant?.(state, micros(150), 3, rule, edges)
    quota.grant?.(state, micros(160), 2, rule, edges)
    expect(grantedAt(state, micros(160))).toBe(5)
  })
})

it('a refund goes to the charged period only', () => {
  const state: State = []
  quota.charge(state, micros(150), 4, rule, edges)
  const period = quota.chargedTo(state, micros(150), rule)
  quota.refund(state, micros(160), 1, rule, period)
  expect(quota.used(state, micros(160), rule)).toBe(3)
  quota.charge(state, micros(210), 4, rule, edges)
  quota.refund(state, micros(211), 3, rule, period)
  expect(quota.used(state, micros(211), rule)).toBe(4)
})
