import { expect, it, vi } from 'vitest'

import { type Policy, QuotaManager, RateLimiter } from '../../src/index.ts'
import { Stopwatch } from '../../../../tools/stopwatch.ts'
import { times, view } from '../world.ts'
import { FaultyStore, pause } from './faulty-store.ts'

const policy: Policy = { name: 'p', limit: 2, window: 3600, blockDuration: 3600 }

/** A store that reports new connections. */
class Reconnecting extends FaultyStore {
  readonly listeners = new Set<() => void>()

  onReconnect(listener: () => void): void {
    this.listeners.add(listener)
  }

  reconnect(): void {
    for (const listener of this.listeners) listener()
  }
}

it('a reconnection keeps refused keys refused when the store was emptied unnoticed', async () => {
  const store = new Reconnecting()
  const limiter = new RateLimiter({ store, policy })
  await times(3, limiter)
  store.empty()
  store.reconnect()
  // Meanwhile the fallback decides and remembers the refusal.
  expect(await limiter.check(view())).toMatchObject({ allowed: false, degraded: 'local' })
  await pause(20)
  expect(await limiter.check(view())).toMatchObject({ allowed: false, degraded: false, reason: 'blocked' })
  expect(await limiter.check(view({ ip: '198.51.100.1' }))).toMatchObject({ allowed: true, degraded: false })
})

it('a reconnection keeps refused keys refused after peeks at them', async () => {
  const store = new Reconnecting()
  const limiter = new RateLimiter({ store, policy })
  await times(3, limiter)
  await limiter.peek(view())
  await limiter.explain(view())
  store.empty()
  store.reconnect()
  await limiter.check(view())
  await pause(20)
  expect(await limiter.check(view())).toMatchObject({ allowed: false, degraded: false, reason: 'blocked' })
})

it('a reconnection is retried while the store cannot answer yet', async () => {
  const store = new Reconnecting()
  const limiter = new RateLimiter({ store, policy, warn: () => {} })
  await times(3, limiter)
  store.empty()
  store.fault = 'reject'
  store.reconnect()
  await pause(20)
  store.fault = 'none'
  const watch = new Stopwatch()
  while ((await limiter.check(view())).degraded !== false) await pause(10)
  expect(watch.stop()).toBeLessThan(2_000)
  expect((await limiter.check(view())).allowed).toBe(false)
})

it('a cluster decides again while one node stays away, though a refused key belongs to that node', async () => {
  const store = new Reconnecting()
  const answer = store.evaluate.bind(store)
  let dead = ''
  store.evaluate = group =>
    group.demands.some(({ subject }) => subject === dead) ? Promise.reject(new Error('down')) : answer(group)
  const limiter = new RateLimiter({ store, policy, warn: () => {} })
  const [there, here] = [view({ ip: '198.51.100.1' }), view({ ip: '198.51.100.2' })]
  for (const request of [there, here]) await times(3, limiter, request)
  dead = 'ip:198.51.100.1'
  for (let i = 0; i < 4; i++) expect((await limiter.check(there)).degraded).toBe('local')
  const watch = new Stopwatch()
  while ((await limiter.check(view())).degraded !== false) await pause(20)
  expect(watch.stop()).toBeLessThan(2_000)
})

it('a reconnection makes no call when there is nothing to restore', async () => {
  const store = new Reconnecting()
  const limiter = new RateLimiter({ store, policy: { ...policy, limit: 100 } })
  await times(3, limiter)
  store.reconnect()
  expect((await limiter.check(view())).degraded).toBe(false)
  expect(store.probes).toBe(0)
})

it('managers do not listen to reconnections', async () => {
  const store = new Reconnecting()
  for (let i = 0; i < 5; i++)
    await new QuotaManager(store).checkQuota('x', { name: 'q', limit: 1, period: 'daily' })
  expect(store.listeners.size).toBe(0)
})

it('a limiter with automatic instances reads their number at the start, so that the store begins to count', () => {
  const counts = [4, 'auto' as const].map(instances => {
    const store = Object.assign(new FaultyStore(), { instances: vi.fn<() => number>(() => 2) })
    const limiter = new RateLimiter({ store, policy, instances })
    expect(limiter.store).toBe(store)
    return store.instances.mock.calls.length
  })
  expect(counts).toEqual([0, 1])
})

it('a timeout has a code in telemetry, and is the cause of the error of a manager', async () => {
  const store = new FaultyStore()
  store.fault = 'hang'
  const onStoreError = vi.fn<(error: unknown) => void>()
  const limiter = new RateLimiter({
    store,
    policy,
    storeTimeout: '20ms',
    warn: () => {},
    telemetry: { onStoreError },
  })
  await limiter.check(view())
  expect(onStoreError.mock.calls[0]?.[0]).toMatchObject({ code: 'HALT_E_STORE_TIMEOUT', failure: 'timeout' })
  const quotas = new QuotaManager(store, { storeTimeout: '20ms', warn: () => {} })
  await expect(quotas.checkQuota('x', { name: 'q', limit: 1, period: 'daily' })).rejects.toMatchObject({
    code: 'HALT_E_STORE',
    cause: { code: 'HALT_E_STORE_TIMEOUT' },
  })
})
