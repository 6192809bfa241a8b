import { describe, expect, it, vi } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { QuotaManager, type Quota, RateLimiter, type RateLimiterOptions } from '../../src/index.ts'
import { ReferenceStore } from '../../src/testing/index.ts'
import type { Evaluation, Group, Store } from '../../src/databases/index.ts'

const day: Quota = { name: 'day', limit: 1000, period: 'daily', anchor: aMinuteAgo() }
const alice = { user: '42' }

/** A store over a network that can be cut: calls are not answered in time, or not sent. */
class Remote implements Store {
  readonly kind = 'remote'
  state: 'up' | 'refuses' | 'slow' = 'up'
  readonly inner = new ReferenceStore(() => performance.timeOrigin + performance.now())
  readonly groups: Group[] = []
  answered = 0

  async evaluate(group: Group): Promise<Evaluation> {
    if (this.state === 'refuses') throw Object.assign(new Error('refused'), { unsent: true })
    this.groups.push(group)
    const evaluation = this.inner.evaluate(group)
    if (this.state === 'slow') await new Promise(resolve => void setTimeout(resolve, 500))
    this.answered++
    return evaluation
  }

  async forget(): Promise<number> {
    return 0
  }
}

describe('while the store is away', () => {
  const remote = (onStoreError: RateLimiterOptions['onStoreError']) => {
    const store = new Remote()
    const codes: string[] = []
    const warn: RateLimiterOptions['warn'] = ({ code }) => void codes.push(code)
    const limiter = new RateLimiter({ store, policy: day, onStoreError, instances: 2, warn })
    const read = async (): Promise<number[]> => {
      const { used, held, remaining } = (await new QuotaManager(store.inner).checkQuota('42', day)).quota
      return [used, held, remaining]
    }
    /** Waits until the counter is like this: used, held, left. */
    const reads = (...numbers: number[]): Promise<void> =>
      vi.waitFor(async () => expect(await read()).toEqual(numbers), { timeout: 20_000, interval: 20 })
    return { store, limiter, codes, reads }
  }

  it('a call under "closed" is charged nothing more in an outage, and its units are held again after it', async () => {
    const { store, limiter, reads } = remote('closed')
    const call = await limiter.reserve(alice, { cost: 400, ttl: '1s' })
    store.state = 'refuses'
    expect([await call.charge(10), call.refusal?.reason]).toEqual([false, 'store-error'])
    await reads(0, 0, 1000)
    store.state = 'up'
    await reads(0, 400, 600)
    expect(call.signal.aborted).toBe(false)
    expect(await call.charge(10)).toBe(true)
    await call.settle(10)
    await reads(10, 0, 990)
  })

  it('a call under "open" goes on unpaid in an outage, with a warning, and is settled in full after it', async () => {
    const { store, limiter, reads, codes } = remote('open')
    const call = await limiter.reserve(alice, { cost: 400, ttl: '1s' })
    store.state = 'refuses'
    expect(await call.charge(50)).toBe(true)
    expect(codes).toContain('HALT_W_UNPAID')
    await call.settle(50)
    store.state = 'up'
    await reads(50, 0, 950)
  })

  it('a call that was reserved without the store under "open" is warned of when it goes on unpaid', async () => {
    const { store, limiter, codes } = remote('open')
    store.state = 'refuses'
    const call = await limiter.reserve(alice, { cost: 400, ttl: '1s' })
    expect([call.decision.degraded, await call.charge(9), codes.includes('HALT_W_UNPAID')]).toEqual([
      'open',
      true,
      true,
    ])
  })

  it('a call under "local" pays from the share of its process, and the store is told of it after the outage', async () => {
    const { store, limiter, reads } = remote('local')
    const call = await limiter.reserve(alice, { cost: 100, ttl: '1s' })
    store.state = 'refuses'
    let parts = 0
    while (parts < 100 && (await call.charge(10))) parts++
    // Half of the limit, because there are two processes.
    expect(parts).toBe(50)
    store.state = 'up'
    await reads(500, 100, 400)
    await call.settle(500)
    await reads(500, 0, 500)
  })

  it('a call under "local" gives back what it paid and did not use, before the store is told of it or after', async () => {
    const { store, limiter, reads } = remote('local')
    const [early, late] = [
      await limiter.reserve(alice, { cost: 100, ttl: '2s' }),
      await limiter.reserve(alice, { cost: 100, ttl: '2s' }),
    ]
    store.state = 'refuses'
    for (const call of [early, late]) for (let i = 0; i < 15; i++) expect(await call.charge(10)).toBe(true)
    await early.cancel()
    store.state = 'up'
    await reads(150, 100, 750)
    await late.settle(20)
    await reads(20, 0, 980)
  })

  it('a payment that the store takes without an answer is given back if the call was refused', async () => {
    const { store, limiter, reads } = remote('closed')
    const call = await limiter.reserve(alice, { cost: 400, ttl: '1m' })
    const other = await limiter.reserve(alice, { cost: 500, ttl: '1m' })
    store.state = 'slow'
    expect(await call.charge(50)).toBe(false)
    store.state = 'up'
    // What the payment took of the units held is free. The call claims no more than the rest, so the other keeps its own.
    await reads(0, 850, 150)
    await call.settle(20)
    await reads(20, 500, 480)
    await other.settle(500)
    await reads(520, 0, 480)
  })

  it('a payment that the store takes without an answer is paid once where this process let it pass', async () => {
    const { store, limiter, reads } = remote('local')
    const call = await limiter.reserve(alice, { cost: 400, ttl: '1m' })
    store.state = 'slow'
    expect(await call.charge(50)).toBe(true)
    store.state = 'up'
    await reads(50, 350, 600)
    await vi.waitFor(() => expect(store.answered).toBe(store.groups.length), { timeout: 20_000 })
    await call.settle(45)
    await reads(45, 0, 955)
  })
})
