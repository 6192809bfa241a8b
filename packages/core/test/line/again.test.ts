// A world is played again event by event, whatever this process has done before, and in whichever run.
import { expect, it } from 'vitest'

import { aWorld, inVirtualTime, keepAsking, nowMs, perSecond } from './rows.ts'
import { ORIGIN } from './virtual-core.ts'

inVirtualTime()

/** The calls of the store in a world whose tenants have callers that wait when it ends. */
async function callsOfAWorld(ms: number, rate: number): Promise<readonly string[]> {
  const policy = { ...perSecond(rate), keyStrategy: 'shared', fair: { by: 'user' } }
  const options = { processes: 3, delays: { least: 300, most: 900 } }
  const world = await aWorld(policy as never, options)
  for (const user of ['a', 'b', 'c', 'd']) for (let p = 0; p < 3; p++) keepAsking(world, p, user)
  await world.pass(ms)
  expect(world.waiting.length).toBeGreaterThan(0)
  world.end()
  return world.arrivals.map(({ process, at }) => `${process} at ${at}`)
}

it('a world that ended earlier, and whose callers still waited, changes no event of a later one', async () => {
  const first = await callsOfAWorld(3000, 20)
  // Its first alarm is due earlier than any of the later world.
  await callsOfAWorld(2, 500)
  expect(await callsOfAWorld(3000, 20)).toEqual(first)
})

it('the clock of a process begins at the same fraction of a microsecond in each run', async () => {
  const world = await aWorld(perSecond(10))
  const { nowMicros } = await import('../../src/base/event-loop.ts')
  for (let i = 0; i < 20; i++) {
    expect(nowMicros() - Math.floor(ORIGIN * 1000)).toBe(nowMs(world) * 1000)
    await world.pass(1.337)
  }
})
