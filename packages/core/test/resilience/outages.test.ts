import { describe, expect, it } from 'vitest'

import { type HaltWarning, QuotaManager, RateLimiter, type StoreRecovery } from '../../src/index.ts'
import { times, view } from '../world.ts'
import { FaultyStore, pause } from './faulty-store.ts'

const policy = { name: 'p', limit: 1000, window: 60 } as const

/** A limiter whose warnings and hook calls are recorded in one list. */
function noting(store: FaultyStore = new FaultyStore()): {
  store: FaultyStore
  limiter: RateLimiter
  told: string[]
  recoveries: StoreRecovery[]
} {
  const told: string[] = []
  const recoveries: StoreRecovery[] = []
  const warn = ({ code }: HaltWarning): void => void told.push(code)
  const onStoreRecovered = (recovery: StoreRecovery): void => {
    recoveries.push(recovery)
    told.push('over')
  }
  const limiter = new RateLimiter({
    store,
    policy,
    warn,
    storeTimeout: '50ms',
    telemetry: { onStoreRecovered },
  })
  return { store, limiter, told, recoveries }
}

/** Makes checks until the store decides again. */
async function decided(limiter: RateLimiter): Promise<void> {
  while ((await limiter.check(view())).degraded !== false) await pause(20)
}

describe('an outage', () => {
  it('an outage is warned of once, whatever the number of requests, and each end is reported', async () => {
    const { store, limiter, told, recoveries } = noting()
    const began = performance.now()
    for (let i = 0; i < 2; i++) {
      store.fault = 'reject'
      await times(6, limiter)
      store.fault = 'none'
      await decided(limiter)
      await times(3, limiter)
    }
    // The second failure came so soon that it belongs to the same outage.
    expect(told).toEqual(['HALT_W_STORE_UNAVAILABLE', 'over', 'over'])
    expect(recoveries[0]).toMatchObject({ store: 'faulty' })
    expect(recoveries[0]?.failures).toBeGreaterThanOrEqual(3)
    expect(recoveries[0]?.lastedMs).toBeGreaterThan(0)
    expect(recoveries[0]?.lastedMs).toBeLessThan(performance.now() - began)
  })

  it('an outage of a store that is full is warned of with the fix that the store names', async () => {
    const store = new FaultyStore()
    const fixes: string[] = []
    const limiter = new RateLimiter({ store, policy, warn: ({ fix }) => void fixes.push(fix) })
    const error = Object.assign(new Error('full'), { failure: 'full', fix: 'Raise the number of locks.' })
    Object.assign(store, { fault: 'reject', error })
    await limiter.check(view())
    expect(fixes).toEqual([expect.stringMatching(/^Raise the number of locks\. Until it answers again/)])
  })

  it('an outage may consist of one request', async () => {
    const { store, limiter, told } = noting()
    for (let i = 0; i < 2; i++) {
      store.fault = 'hang'
      await limiter.check(view())
      store.fault = 'none'
      await limiter.check(view())
    }
    expect(told).toEqual(['HALT_W_STORE_TIMEOUT', 'over', 'over'])
  })

  it('an outage does not end with the reply to a call that was sent before the last failure', async () => {
    const { store, limiter, told } = noting()
    Object.assign(store, { fault: 'late answer', lateness: 40 })
    const before = limiter.check(view())
    store.fault = 'reject'
    await limiter.check(view())
    await before
    expect(told).toEqual(['HALT_W_STORE_UNAVAILABLE'])
    store.fault = 'none'
    await limiter.check(view())
    expect(told).toEqual(['HALT_W_STORE_UNAVAILABLE', 'over'])
  })

  it('the end of an outage is reported at most five times per minute for a store that fails every other call', async () => {
    const { store, limiter, told } = noting()
    for (let i = 0; i < 20; i++) {
      store.fault = i % 2 === 0 ? 'reject' : 'none'
      await limiter.check(view())
    }
    expect(told.filter(what => what === 'over')).toHaveLength(5)
    expect(told).toHaveLength(6)
  })

  it('an outage is warned of once for all limiters of a store with one receiver', async () => {
    const store = new FaultyStore()
    const codes: string[] = []
    const warn = ({ code }: HaltWarning): void => void codes.push(code)
    const limiters = [1, 2, 3].map(() => new RateLimiter({ store, policy, warn }))
    store.fault = 'reject'
    for (const limiter of limiters) await limiter.check(view())
    store.fault = 'none'
    for (const limiter of limiters) await limiter.check(view())
    expect(codes).toEqual(['HALT_W_STORE_UNAVAILABLE'])
  })

  it('an outage that a manager meets is reported as well', async () => {
    const store = new FaultyStore()
    const ends: StoreRecovery[] = []
    const telemetry = { onStoreRecovered: (recovery: StoreRecovery) => void ends.push(recovery) }
    const quotas = new QuotaManager(store, { warn: () => {}, telemetry })
    const quota = { name: 'q', limit: 5, period: 'daily' } as const
    store.fault = 'reject'
    await quotas.consumeQuota('ann', quota).catch(() => {})
    store.fault = 'none'
    await quotas.consumeQuota('ann', quota)
    expect(ends).toMatchObject([{ store: 'faulty', failures: 1 }])
  })
})
