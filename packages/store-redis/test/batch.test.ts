import type { Demand, Group, Verdict } from '@halt/core/store'
import { describe, expect, it } from 'vitest'

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

describe('checks that come in one turn of the event loop', () => {
  const group: Group = { demands: [{} as Demand] }

  /** A batch, and how many groups each of its calls held. */
  function counting(): { readonly batch: Batch; readonly sizes: number[] } {
    const sizes: number[] = []
    const send = async (groups: readonly Group[]): Promise<Verdict[]> => {
      sizes.push(groups.length)
      await new Promise(resolve => setTimeout(resolve, 1))
      return groups.map(() => ({}) as Verdict)
    }
    return { sizes, batch: new Batch(send) }
  }

  /** As many checks as sockets that are read in one turn: each in a task of its own. */
  const inTasks = (batch: Batch, count: number): Promise<unknown> =>
    Promise.all(
      Array.from(
        { length: count },
        () => new Promise(resolve => setImmediate(() => resolve(batch.add(group)))),
      ),
    )

  it('go out together once calls are shared', async () => {
    const { batch, sizes } = counting()
    await inTasks(batch, 10)
    // Nobody knew that more would come.
    expect(sizes).toEqual([1, 9])
    sizes.length = 0
    await inTasks(batch, 10)
    expect(sizes).toEqual([10])
  })

  it('go out at once, each by itself, while one comes after the other', async () => {
    const { batch, sizes } = counting()
    for (let i = 0; i < 3; i++) await batch.add(group)
    const pending = batch.add(group)
    await Promise.resolve()
    expect(sizes).toEqual([1, 1, 1, 1])
    await pending
  })
})
