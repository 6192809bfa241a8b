// Callers that wait for the turn of their tenant while the store is away.
import { expect, it } from 'vitest'

import * as operators from '../line/operators.ts'
import { aWorld, inVirtualTime, keepAsking, perSecond } from '../line/rows.ts'

inVirtualTime()

it.each([1, 4])(
  'tenants of %i processes have their turns by each process alone while the store is away',
  async processes => {
    const policy = { ...perSecond(20, 4), keyStrategy: 'shared', fair: { by: 'user' } }
    const world = await aWorld(policy as never, { processes, delays: { least: 300, most: 900 } })
    for (let p = 0; p < processes; p++)
      for (const user of ['a', 'a', 'a', 'a', 'b', 'b']) keepAsking(world, p, user)
    await world.pass(2000)
    void operators.outage(world, 'away', 6000, 0.5)
    await world.pass(1000)
    const from = world.time.now
    await world.pass(5000)
    const starts = world.book.asks.filter(({ end, endedAt }) => end === 'started' && endedAt! >= from)
    expect(starts.length).toBeGreaterThanOrEqual(95)
    expect(starts.length).toBeLessThanOrEqual(105)
    for (const tenant of ['a', 'b']) {
      const share = starts.filter(({ user }) => user === tenant).length / starts.length
      expect(share).toBeGreaterThan(0.45)
    }
  },
)
