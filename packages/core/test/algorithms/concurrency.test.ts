import { expect, it } from 'vitest'

import { concurrency } from '../../src/algorithms/concurrency.ts'
import type { State } from '../../src/algorithms/index.ts'
import { micros, play, type Row, ruleOf } from './table.ts'

// At most 2 requests in flight. A lease whose release is lost ends after 30 s.
const rule = ruleOf({ algorithm: 'concurrency', limit: 2, window: 30, precision: 64 })

it('a lease without a release ends after the ttl', () => {
  const rows: Row[] = [
    // at, cost, fits, remaining, wait
    [100, 1, true, 1, 0],
    [110, 1, true, 0, 0],
    [110, 1, false, 0, 20],
    [129, 1, false, 0, 1],
    [130, 1, true, 0, 0],
    [130, 1, false, 0, 10],
    [140, 1, true, 0, 0],
  ]
  expect(play(concurrency, rule, rows)).toEqual(rows)
})

it('a release frees the place of its own request', () => {
  const state: State = []
  const [first, second] = [micros(100), micros(110)]
  concurrency.charge(state, first, 1, rule)
  const firstLease = concurrency.chargedTo(state, first, rule)
  concurrency.charge(state, second, 1, rule)
  const secondLease = concurrency.chargedTo(state, second, rule)
  expect(concurrency.fits(state, micros(111), 1, rule)).toBe(false)

  concurrency.refund(state, micros(111), 1, rule, secondLease)
  expect(concurrency.remaining(state, micros(111), rule)).toBe(1)
  expect(concurrency.wait(state, micros(111), 2, rule)).toBe(micros(19))

  concurrency.refund(state, micros(112), 1, rule, firstLease)
  expect(concurrency.remaining(state, micros(112), rule)).toBe(2)
})

it('a second release of the same request changes nothing', () => {
  const state: State = []
  concurrency.charge(state, micros(100), 1, rule)
  const lease = concurrency.chargedTo(state, micros(100), rule)
  concurrency.charge(state, micros(105), 1, rule)
  for (let i = 0; i < 2; i++) concurrency.refund(state, micros(106), 1, rule, lease)
  expect(concurrency.used(state, micros(106), rule)).toBe(1)
})

it('a release after the ttl changes nothing', () => {
  const state: State = []
  concurrency.charge(state, micros(100), 1, rule)
  const lease = concurrency.chargedTo(state, micros(100), rule)
  concurrency.charge(state, micros(130), 1, rule)
  concurrency.refund(state, micros(131), 1, rule, lease)
  expect(concurrency.used(state, micros(131), rule)).toBe(1)
})

it('a lease among more leases than sub-windows ends at most a sixty-fourth of the ttl late', () => {
  const many = ruleOf({ algorithm: 'concurrency', limit: 100, window: 64, precision: 64 })
  const state: State = []
  concurrency.charge(state, micros(100.5), 1, many)
  const end = concurrency.freshAt(state)
  expect(end).toBeGreaterThanOrEqual(micros(164.5))
  expect(end).toBeLessThanOrEqual(micros(165.5))
})
