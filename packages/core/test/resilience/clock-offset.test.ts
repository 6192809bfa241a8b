import { expect, it } from 'vitest'

import { ClockOffset } from '../../src/resilience/last-known.ts'

const SECOND = 1e6

it('a clock offset uses the reply with the smallest delay', () => {
  const offset = new ClockOffset()
  expect(offset.value).toBe(0)
  expect([offset.observe(1_000, 400), offset.observe(2_000, 1_500), offset.observe(9_000, 2_000)]).toEqual([
    600, 500, 500,
  ])
  expect(offset.value).toBe(500)
})

it('a clock offset drops observations after a minute, because another server may have taken over', () => {
  const offset = new ClockOffset()
  const lag = 7 * SECOND
  offset.observe(0, 0)
  const heard = [10, 31, 62].map(at => offset.observe(at * SECOND, at * SECOND - lag))
  expect(heard).toEqual([0, 0, lag])
  expect(offset.observe(500 * SECOND, 500 * SECOND - 2 * lag)).toBe(2 * lag)
})
