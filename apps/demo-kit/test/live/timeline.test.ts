import { expect, it } from 'vitest'

import { Timeline } from '../../src/live/timeline.ts'

const SECOND = 1000

it('the timeline counts per second, oldest first', () => {
  const timeline = new Timeline(5)
  for (const at of [100, 101, 101.9, 103]) timeline.count('allowed', at * SECOND)
  timeline.count('refused', 103 * SECOND)
  expect(timeline.read(104 * SECOND)).toMatchObject({ allowed: [1, 2, 0, 1, 0], refused: [0, 0, 0, 1, 0] })
})

it('the timeline drops seconds beyond its length, also after a silence', () => {
  const timeline = new Timeline(5)
  timeline.count('allowed', 100 * SECOND)
  expect(timeline.read(104 * SECOND).allowed).toEqual([1, 0, 0, 0, 0])
  expect(timeline.read(105 * SECOND).allowed).toEqual([0, 0, 0, 0, 0])
  timeline.count('refused', 205 * SECOND)
  expect(timeline.read(205 * SECOND)).toMatchObject({ allowed: [0, 0, 0, 0, 0], refused: [0, 0, 0, 0, 1] })
})
