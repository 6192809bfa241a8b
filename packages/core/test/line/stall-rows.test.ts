// A process whose event loop stands still: its callers are due meanwhile, and must not start at one instant.
import { expect, it } from 'vitest'

import { startsOf } from './journal.ts'
import { asks, aWorld, inVirtualTime, mostStarts, perSecond, startsFrom } from './rows.ts'

inVirtualTime()

it.each([50, 70])(
  'a process whose event loop stood still for 2 s spreads the callers that were due over 300 ms, in order: %i a second',
  async rate => {
    const world = await aWorld(perSecond(rate))
    asks(world, 6 * rate)
    await world.pass(1050)
    world.time.stall(2e6)
    const resumed = 3050
    await world.pass(6000)
    const starts = startsFrom(world)
    expect(starts).toHaveLength(6 * rate)
    // Those that were due in the last 300 ms of the 2 s, and a capacity, may start at once.
    const atOnce = 0.3 * rate + 1
    expect(mostStarts(starts, 10)).toBeLessThanOrEqual(atOnce + (2 * rate) / 30 + 2)
    expect(mostStarts(starts, 100)).toBeLessThanOrEqual(atOnce + (2 * rate) / 3 + 5)
    // Nothing is lost: soon all are where they would have been.
    const at = starts.filter(start => start <= resumed + 400).length
    expect(at).toBeGreaterThanOrEqual(1 + (rate * (resumed + 400)) / 1000 - 3)
    const order = startsOf(world.book).map(({ id }) => id)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  },
)
