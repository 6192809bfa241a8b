import { expect, it } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import { fakeOutage, ReferenceStore } from '../../src/testing/index.ts'
import { asks, aWorld, inVirtualTime, perSecond, startsFrom } from '../line/rows.ts'

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

it('callers behind one that gives up in an outage move up, and no two of them start at once', async () => {
  const world = await aWorld(perSecond(10), { limiter: { instances: 2 } })
  world.network.begin('away')
  const [first, gone, ...behind] = asks(world, 4)
  await world.pass(50)
  gone!.leaving.abort()
  await world.pass(50)
  behind.push(...asks(world, 1))
  await world.pass(1000)
  expect(gone!.ask.end).toBe('left')
  const started = [first!, ...behind].map(({ ask }) => ask)
  for (const ask of started) expect(ask).toMatchObject({ end: 'started', degraded: 'local' })
  // This process has five starts a second.
  const waits = started
    .slice(1)
    .map(({ endedAt }, i) => Math.round((endedAt! - started[i]!.endedAt!) / 10_000))
  expect(waits).toEqual([20, 20, 20])
})

it('callers that get places after an outage wait for the one that has just started without the store', async () => {
  // This process has five starts a second by itself, and ten with the store.
  const world = await aWorld(perSecond(10), { limiter: { instances: 2 } })
  world.network.begin('away')
  asks(world, 2)
  await world.pass(10)
  asks(world, 6)
  await world.pass(605)
  world.network.end(world.time.now)
  // Who asks makes this process find the store, which gives all of them places.
  for (let i = 0; i < 10; i++) {
    asks(world, 1)
    await world.pass(40)
  }
  await world.pass(2000)
  const starts = startsFrom(world)
  const apart = starts.slice(1).map((at, i) => at - starts[i]!)
  expect(starts.length).toBe(18)
  expect(Math.min(...apart)).toBeGreaterThan(99)
})
