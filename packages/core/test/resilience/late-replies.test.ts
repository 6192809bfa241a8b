import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { type Decision, llmBudget, RateLimiter, type RateLimiterOptions } from '../../src/index.ts'
import { view } from '../world.ts'
import { FaultyStore, pause } from './faulty-store.ts'

const daily = { name: 'q', limit: 100, period: 'daily', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const
const flight = { name: 'c', limit: 2, ttl: 600, algorithm: 'concurrency' } as const

interface LateLimiter {
  readonly store: FaultyStore
  readonly limiter: RateLimiter
  /** Checks a request while the store answers after the deadline. */
  late<T>(call: () => Promise<T>): Promise<T>
  /** The units left, according to the store. */
  left(of?: string): Promise<number | undefined>
}

/** A limiter whose store can apply a call and answer too late. */
function lateLimiter(
  policy: RateLimiterOptions['policy'],
  options: Partial<RateLimiterOptions> = {},
): LateLimiter {
  const store = new FaultyStore()
  const limiter = new RateLimiter({ store, policy, storeTimeout: '30ms', warn: () => {}, ...options })
  return {
    store,
    limiter,
    async late(call) {
      store.fault = 'late answer'
      const result = await call()
      store.fault = 'none'
      return result
    },
    async left(of) {
      const { verdicts } = await limiter.peek(view())
      return (of === undefined ? verdicts[0] : verdicts.find(({ policy: name }) => name === of))?.remaining
    },
  }
}

/** Waits until a late answer has arrived. */
const heard = (): Promise<void> => pause(80)

describe('a charge whose reply came too late', () => {
  it('a charge whose reply came too late is made once, for quotas as well', async () => {
    const { limiter, late, left } = lateLimiter(daily)
    expect(await late(() => limiter.check(view()))).toMatchObject({ allowed: true, degraded: 'local' })
    await heard()
    expect(await left()).toBe(99)
    // Nothing is written back later.
    await limiter.check(view())
    await heard()
    expect(await left()).toBe(98)
  })

  it('a charge whose reply came too late is made once per idempotency key', async () => {
    const { limiter, late, left } = lateLimiter(daily)
    await late(() => limiter.check(view(), { idempotencyKey: 'k' }))
    await heard()
    expect(await limiter.check(view(), { idempotencyKey: 'k' })).toMatchObject({ allowed: true, cost: 0 })
    expect(await left()).toBe(99)
  })

  it('a charge whose reply came too late is settled and refunded in the store, before the reply and after', async () => {
    const budget = llmBudget({ tpm: 10_000, monthly: 10_000, keyStrategy: 'ip' }).map(limit =>
      'period' in limit ? { ...limit, anchor: aMinuteAgo() } : limit,
    )
    for (const wait of [pause, async () => {}]) {
      const { limiter, late, left } = lateLimiter(budget)
      const settled = await late(() => limiter.reserve(view(), { cost: 1000 }))
      await wait(80)
      await settled.settle(300)
      await heard()
      expect(await left('llm_monthly_tokens')).toBe(9700)
      const cancelled = await late(() => limiter.reserve(view(), { cost: 1000 }))
      await wait(80)
      await cancelled.cancel()
      await heard()
      expect(await left('llm_monthly_tokens')).toBe(9700)
    }
  })

  it('a charge whose reply came too late ends with its request in flight', async () => {
    for (const wait of [pause, async () => {}]) {
      const { limiter, late } = lateLimiter(flight)
      const decisions = await late(() => Promise.all([limiter.check(view()), limiter.check(view())]))
      expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true])
      await wait(80)
      await Promise.all(decisions.map(decision => limiter.release(decision)))
      await heard()
      expect((await limiter.peek(view())).remaining).toBe(2)
    }
  })

  it('a late charge is refunded when its request was refused or allowed uncounted meanwhile', async () => {
    const closed = lateLimiter(daily, { onStoreError: 'closed' })
    expect((await closed.late(() => closed.limiter.check(view()))).allowed).toBe(false)
    await heard()
    expect(await closed.left()).toBe(100)
    for (const onStoreError of ['closed', 'open'] as const) {
      const { limiter, late } = lateLimiter(flight, { onStoreError })
      const decision = await late(() => limiter.check(view()))
      await limiter.release(decision)
      await heard()
      expect((await limiter.peek(view())).remaining).toBe(2)
    }
  })

  it('a charge is not corrected when its reply never comes', async () => {
    const { store, limiter, left } = lateLimiter(daily)
    store.fault = 'hang'
    const decision = await limiter.check(view(), { cost: 5 })
    store.fault = 'none'
    await limiter.check(view(), { cost: 10 })
    await limiter.settle(decision, 0)
    await heard()
    expect(await left()).toBe(90)
  })
})

describe('a correction', () => {
  const four = { name: 'p', limit: 4, window: 60, algorithm: 'fixed-window' } as const

  /** Makes five checks: four are charged, the fifth is refused. */
  async function exhausted(
    policy: RateLimiterOptions['policy'],
  ): Promise<LateLimiter & { decisions: Decision[] }> {
    const made = lateLimiter(policy)
    const decisions: Decision[] = []
    for (let i = 0; i < 5; i++) decisions.push(await made.limiter.check(view()))
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, true, true, true, false])
    return { ...made, decisions }
  }

  it('a correction that the store does not receive admits no refused key', async () => {
    for (const more of [{}, { blockDuration: 300 }]) {
      const { store, limiter, decisions } = await exhausted({ ...four, ...more })
      store.fault = 'reject'
      for (const decision of decisions) {
        await limiter.settle(decision, 0)
        for (let i = 0; i < 3; i++) expect((await limiter.check(view())).allowed).toBe(false)
      }
    }
  })

  it('a correction is remembered in an outage: its charges count and its refunds are available', async () => {
    const over = await exhausted(four)
    await over.limiter.settle(over.decisions[0] as Decision, 2)
    over.store.fault = 'reject'
    expect((await over.limiter.check(view())).allowed).toBe(false)
    const less = await exhausted(four)
    await less.limiter.settle(less.decisions[0] as Decision, 0)
    less.store.fault = 'reject'
    const [first, second] = [await less.limiter.check(view()), await less.limiter.check(view())]
    expect([first.allowed, second.allowed]).toEqual([true, false])
  })

  it('a correction keeps refused keys known for a store that comes back empty', async () => {
    const { store, limiter, decisions } = await exhausted({ ...four, blockDuration: 300 })
    await limiter.settle(decisions[0] as Decision, 2)
    store.fault = 'reject'
    for (let i = 0; i < 4; i++) await limiter.check(view({ ip: `198.51.100.${i}` }))
    store.empty()
    store.fault = 'none'
    while ((await limiter.check(view({ ip: '198.51.100.99' }))).degraded !== false) await pause(20)
    expect((await limiter.check(view())).allowed).toBe(false)
  })
})
