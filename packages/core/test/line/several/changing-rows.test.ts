// What happens to callers of one or two buckets as somebody leaves, or a limit is lowered.
import { describe, expect, it } from 'vitest'

import { inVirtualTime } from '../rows.ts'
import type { Given } from './counters.ts'
import { happens } from './happenings.ts'
import { CHANGING } from './judges.ts'
import { aTown, expectNothingLeft, expectWithin, workers } from './town-rows.ts'

inVirtualTime()

const user = { keyStrategy: 'user' } as const
const MINUTE: Given = { name: 'minute', limit: 6000, window: '1m', burst: 10, ...user }

describe('a caller that leaves while its first question is out', () => {
  for (const [name, more] of [
    ['one bucket', []],
    ['two buckets', [MINUTE]],
  ] as const)
    it(`callers of ${name} behind one that left while its first question was out start 200 ms apart at 5 per second`, async () => {
      const policies: Given[] = [{ name: 'second', limit: 5, window: '1s', burst: 1, ...user }, ...more]
      const town = await aTown({ policies, delays: { least: 3000, most: 3500 } })
      const calls = Array.from({ length: 8 }, () => town.ask())
      await town.pass(1)
      calls[0]!.leaving.abort()
      await town.pass(3000)
      const instants = town.starts.map(({ endedAt }) => endedAt / 1000)
      const gaps = instants.slice(1).map((at, i) => at - instants[i]!)
      expect(instants).toHaveLength(7)
      // The one that left never started, so nobody starts sooner after another by its unit.
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(190)
      expectWithin(town, { calls: 0.1, late: 0 })
      await expectNothingLeft(town)
    })
})

describe('a reset', () => {
  it('a reset of a slow bucket of all and a faster one of each client starts nobody sooner than the faster one allows', async () => {
    const policies: Given[] = [
      { name: 'all', limit: 10, window: '1m', burst: 10, keyStrategy: 'shared' },
      { name: 'each', limit: 60, window: '1m', burst: 2, ...user },
    ]
    const town = await aTown({ policies, processes: 2 })
    workers(town, 20, { maxWaitMs: 50_000 })
    await town.pass(70_000)
    const before = town.starts.length
    await town.soon(happens(town, { does: 'reset', at: 0, which: 0 }), 100)
    await town.pass(20_000)
    expectWithin(town, CHANGING)
    // Ten of the reset, one a second after the first two, and what time pays.
    expect(town.starts.length - before).toBeGreaterThanOrEqual(10)
    await expectNothingLeft(town)
  })
})

describe('a pause and an outage', () => {
  for (const [name, more] of [
    ['one bucket', []],
    ['two buckets', [{ ...MINUTE, limit: 300, burst: 3 }]],
  ] as const)
    it(`callers of ${name} stand still in a pause though the store goes away, and start in order after both`, async () => {
      const policies: Given[] = [{ name: 'second', limit: 10, window: '1s', burst: 1, ...user }, ...more]
      const town = await aTown({ policies })
      const calls = Array.from({ length: 12 }, () => town.ask())
      await town.pass(250)
      await town.soon(town.processes[0]!.limiter.pause({ user: 'c0' }, { for: '2s' }))
      const [paused, started] = [town.nowMs, town.starts.length]
      await town.pass(100)
      town.network.begin('away')
      await town.pass(1000)
      const newcomer = town.ask()
      town.network.end(0.5)
      await town.pass(8000)
      expect(town.starts.map(({ id }) => id)).toEqual([...calls, newcomer].map(({ id }) => id))
      expect(town.starts[started]!.endedAt / 1000).toBeGreaterThanOrEqual(paused + 1990)
      expectWithin(town, { calls: 0.1, late: 0 })
      await expectNothingLeft(town)
    })
})
