import { expect, it } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import { fakeOutage, ReferenceStore } from '../../src/testing/index.ts'
import { asks, aWorld, inVirtualTime, perSecond } from '../line/rows.ts'

inVirtualTime()

/** A limiter of 100 a second, of which this process has half while its store is away, and the starts of its callers. */
function halved() {
  const store = fakeOutage(new ReferenceStore(Date.now))
  const policy = { name: 'api', limit: 100, window: 1, burst: 1 }
  const limiter = new RateLimiter({ store, policy, instances: 2, warn: () => {} })
  const starts: { name: number; at: number; degraded: unknown }[] = []
  const acquire = async (name: number): Promise<void> => {
    const { degraded } = await limiter.acquire('s')
    starts.push({ name, at: performance.now(), degraded })
  }
  return { store, starts, acquire }
}

it('callers wait by the share of their process while the store is away', async () => {
  const { store, starts, acquire } = halved()
  store.begin('refused')
  const began = performance.now()
  await Promise.all([0, 1, 2, 3, 4].map(acquire))
  expect(starts.map(({ name, degraded }) => [name, degraded])).toEqual(
    [0, 1, 2, 3, 4].map(name => [name, 'local']),
  )
  // A timer is never early, and on a busy machine it is late.
  expect(starts[4]!.at - began).toBeGreaterThan(79)
})

it('callers that come in an outage do not overtake those that wait already', async () => {
  const { store, starts, acquire } = halved()
  const before = [0, 1, 2, 3, 4, 5].map(acquire)
  await Promise.resolve()
  store.begin('refused')
  await Promise.all([...before, ...[6, 7].map(acquire)])
  expect(starts.map(({ name }) => name)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})

it('a caller that gives up in an outage gives its place back, and this process starts the one behind it there', async () => {
  const world = await aWorld(perSecond(10), { limiter: { instances: 2 } })
  world.network.begin('away')
  const [first, gone, behind] = asks(world, 3)
  await world.pass(50)
  gone!.leaving.abort()
  await world.pass(500)
  expect([first, gone, behind].map(caller => caller!.ask.end)).toEqual(['started', 'left', 'started'])
  expect(behind!.ask.degraded).toBe('local')
  // This process has five starts a second. The place of the one that left was 200 ms after the first, and the next one is 400 ms after it.
  const waited = (behind!.ask.endedAt! - first!.ask.endedAt!) / 1000
  expect(waited).toBeGreaterThan(195)
  expect(waited).toBeLessThan(210)
})
