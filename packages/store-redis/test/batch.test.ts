import type { Demand, Group, Verdict } from '@halt/core/store'
import { expect, it } from 'vitest'

import { Batch } from '../src/batch.ts'

it('sends no more keys at once than a script can unpack, and every group', async () => {
  const sent: number[] = []
  const batch = new Batch(async groups => {
    sent.push(groups.reduce((keys, { demands }) => keys + demands.length, 0))
    await new Promise(resolve => setTimeout(resolve, 5))
    return groups.map(({ demands }) => ({ now: demands.length }) as Verdict)
  })
  const wide = (count: number): Group => ({ demands: Array.from({ length: count }, () => ({}) as Demand) })
  const groups = [...Array.from({ length: 500 }, () => wide(40)), wide(6000), wide(1)]
  const verdicts = await Promise.all(groups.map(group => batch.add(group)))
  expect(verdicts.map(({ now }) => now)).toEqual(groups.map(({ demands }) => demands.length))
  expect(sent.reduce((a, b) => a + b)).toBe(500 * 40 + 6000 + 1)
  // What is wider by itself goes by itself.
  expect(sent.filter(keys => keys > 4000)).toEqual([6000])
})
