// A process whose event loop stands still: its callers are due meanwhile, and must not start at one instant.
import { expect, it } from 'vitest'

import { startsOf } from './journal.ts'
import { asks, aWorld, inVirtualTime, mostStarts, perSecond, startsFrom } from './rows.ts'

inVirtualTime()

it('a process whose event loop stood still for 2 s spreads the callers that were due over 300 ms, in order', async () => {
  const world = await aWorld(perSecond(50))
  asks(world, 300)
  await world.pass(1050)
  world.time.stall(2e6)
  const resumed = 3050
  await world.pass(6000)
  const starts = startsFrom(world)
  expect(starts).toHaveLength(300)
  // 100 were due in the 2 s. Those of the last 300 ms and a capacity may start at once.
  expect(mostStarts(starts, 10)).toBeLessThanOrEqual(15 + 1 + 5)
  expect(mostStarts(starts, 100)).toBeLessThanOrEqual(15 + 1 + 100 / 3 + 5)
  // Nothing is lost: soon all are where they would have been.
  const at = starts.filter(start => start <= resumed + 400).length
  expect(at).toBeGreaterThanOrEqual(1 + (50 * (resumed + 400)) / 1000 - 3)
  const order = startsOf(world.book).map(({ id }) => id)
  expect(order).toEqual(order.toSorted((a, b) => a - b))
})
