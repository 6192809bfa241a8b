import { expect, it } from 'vitest'

import { RateLimiter } from '../../src/index.ts'
import { fakeOutage, ReferenceStore } from '../../src/testing/index.ts'

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
  return { store, limiter, starts, acquire }
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

it('a caller behind one that gives up in an outage starts, and this process decides', async () => {
  const { store, limiter, acquire, starts } = halved()
  store.begin('refused')
  await acquire(0)
  const gone = new AbortController()
  const turn = limiter.acquire('s', { signal: gone.signal })
  const behind = acquire(1)
  gone.abort()
  await expect(turn).rejects.toThrow('aborted')
  await behind
  expect(starts.map(({ name }) => name)).toEqual([0, 1])
  expect((await limiter.peek('s')).degraded).toBe('local')
})
