import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { type Policy, type Quota, QuotaManager, RateLimiter } from '../../src/index.ts'
import { LocalStore } from '../../src/resilience/local-store.ts'
import type { Ask } from '../line/journal.ts'
import { aWorld, inVirtualTime, nowMs } from '../line/rows.ts'
import { admitted, by, times, view } from '../world.ts'
import { failableLimiter, FaultyStore, pause } from './faulty-store.ts'

inVirtualTime()

const policy: Policy = { name: 'p', limit: 12, window: 3600, algorithm: 'fixed-window' }

describe('the fallback', () => {
  it.each([
    [1, 12],
    [4, 3],
    [5, 2],
    [100, 1],
  ])('the fallback divides the limit by %d instances, which leaves %d', async (instances, share) => {
    for (const algorithm of ['token-bucket', 'fixed-window', 'sliding-window'] as const) {
      const { limiter, fail } = failableLimiter({ ...policy, algorithm }, { instances })
      fail()
      expect(await admitted(40, limiter), algorithm).toBe(share)
    }
  })

  it('the fallback is shared by all limiters of the store in this process, as its counters are', async () => {
    const { store, limiter, fail } = failableLimiter(policy, { instances: 2 })
    const other = new RateLimiter({ store, policy, instances: 2, warn: () => {} })
    fail()
    await limiter.check(view(), { idempotencyKey: 'order-1' })
    expect(await other.check(view(), { idempotencyKey: 'order-1' })).toMatchObject({ allowed: true, cost: 0 })
    expect((await admitted(4, limiter)) + (await admitted(4, other))).toBe(5)
  })

  it('the fallback takes the number of instances from the store by default', async () => {
    const { store, limiter, fail } = failableLimiter(policy)
    Object.assign(store, { instances: () => 3 })
    fail()
    expect(await admitted(40, limiter)).toBe(4)
  })

  it('the fallback never gets a share below the policy’s cost', async () => {
    const { limiter, fail } = failableLimiter({ ...policy, cost: 5 }, { instances: 6 })
    fail()
    expect(await admitted(5, limiter)).toBe(1)
  })

  it('the fallback refills at the rate of its share, not of the limit', async () => {
    const { limiter, fail } = failableLimiter({ name: 'p', limit: 300, window: '300ms' }, { instances: 3 })
    fail()
    await limiter.check(view(), { cost: 100 })
    expect((await limiter.check(view(), { cost: 100 })).allowed).toBe(false)
    await pause(310)
    expect((await limiter.check(view(), { cost: 100 })).allowed).toBe(true)
  })

  it('the fallback keeps to its share for any limit and window', async () => {
    const { limiter, fail } = failableLimiter(
      { name: 'p', limit: 10_000_000, window: '1d' },
      { instances: 3 },
    )
    fail()
    let units = 0
    for (let i = 0; i < 120; i++)
      if ((await limiter.check(view(), { cost: 100_000 })).allowed) units += 100_000
    expect(units).toBeLessThanOrEqual(3_400_000)
    expect(units).toBeGreaterThanOrEqual(3_300_000)
  })

  it('the fallback starts from what the store last reported', async () => {
    const { limiter, fail } = failableLimiter(policy)
    await times(9, limiter)
    fail()
    expect(await admitted(10, limiter)).toBe(3)
  })

  it('the fallback starts with its share for an unknown key, and with at most its share for a known one', async () => {
    const { limiter, fail } = failableLimiter(policy, { instances: 3 })
    await limiter.check(view())
    fail()
    expect(await admitted(10, limiter, by(1, { ip: '198.51.100.1' }))).toBe(4)
    expect(await admitted(10, limiter)).toBe(4)
  })

  it('the fallback keeps refused keys refused, and blocked keys blocked', async () => {
    const { limiter, fail } = failableLimiter([
      policy,
      { ...policy, name: 'q', limit: 3, blockDuration: '2h' },
    ])
    await times(4, limiter)
    fail()
    const decision = await limiter.check(view())
    expect(decision).toMatchObject({ allowed: false, degraded: 'local', policy: 'q' })
    expect(decision.retryAfter).toBeGreaterThan(7190)
    expect(decision.retryAfter).toBeLessThanOrEqual(7200)
  })

  it('the fallback keeps a blocked key blocked, though its window is over', async () => {
    const { limiter, fail } = failableLimiter({ ...policy, limit: 1, window: '200ms', blockDuration: '2h' })
    await times(2, limiter)
    await pause(250)
    fail()
    const decision = await limiter.check(view())
    expect(decision).toMatchObject({ allowed: false, degraded: 'local' })
    expect(decision.retryAfter).toBeGreaterThan(7190)
  })

  it.each([
    ['a window', {}],
    ['a window that counts a request at its end', { inFlight: 5 }],
  ])(
    'the fallback keeps a key refused that the store has refused, though units are left: %s',
    async (_what, more) => {
      const { limiter, fail } = failableLimiter({ ...policy, limit: 2, ...more })
      await limiter.release(await limiter.check(view()))
      expect((await limiter.check(view(), { cost: 2 })).allowed).toBe(false)
      fail()
      expect(await limiter.check(view())).toMatchObject({ allowed: false, degraded: 'local' })
    },
  )

  it.each(['fixed-window', 'sliding-window', 'token-bucket'] as const)(
    'the fallback admits at most its share per window while the store flaps: %s',
    async algorithm => {
      const { limiter, fail, recover } = failableLimiter(
        { ...policy, limit: 40, algorithm },
        { instances: 4 },
      )
      let local = 0
      for (let i = 0; i < 3; i++) {
        fail()
        local += await admitted(6, limiter)
        await recover()
        expect(await limiter.check(view())).toMatchObject({ allowed: true, degraded: false })
      }
      expect(local).toBe(10)
    },
  )

  it('the fallback charges a repeated idempotency key once', async () => {
    const { limiter, fail } = failableLimiter(policy)
    fail()
    for (let i = 0; i < 3; i++)
      expect(await limiter.check(view(), { idempotencyKey: 'order-1' })).toMatchObject({ allowed: true })
    expect(await admitted(20, limiter)).toBe(11)
  })

  it('the fallback does not charge a call again that the store has charged', async () => {
    const { limiter, fail } = failableLimiter({ ...policy, limit: 1 })
    const ask = async (): Promise<boolean> => (await limiter.check(view(), { idempotencyKey: 'a' })).allowed
    expect(await ask()).toBe(true)
    fail()
    expect(await ask()).toBe(true)
    expect((await limiter.check(view())).allowed).toBe(false)
  })

  it('a policy that is closed while the store is away refuses, wherever it stands, and the decision says so', async () => {
    const closed: Policy = { ...policy, name: 'closed', onStoreError: 'closed' }
    for (const policies of [[closed], [closed, policy], [policy, closed]]) {
      const { limiter, fail } = failableLimiter(policies)
      fail()
      expect(await limiter.check(view())).toMatchObject({
        allowed: false,
        degraded: 'closed',
        reason: 'store-error',
        policy: 'closed',
      })
    }
  })

  it('the fallback does not take a call that the store has refused for one that has passed', async () => {
    const { limiter, fail } = failableLimiter([policy, { ...policy, name: 'one', limit: 1 }])
    await limiter.check(view())
    const ask = async (): Promise<boolean> => (await limiter.check(view(), { idempotencyKey: 'a' })).allowed
    expect(await ask()).toBe(false)
    fail()
    expect(await ask()).toBe(false)
  })

  it('a reset forgets counters of the fallback', async () => {
    const { store, limiter, fail } = failableLimiter(policy)
    await times(13, limiter)
    await limiter.reset({ ip: '203.0.113.7' })
    fail()
    expect(await admitted(20, limiter)).toBe(12)
    store.fault = 'none'
  })

  it('the fallback caps unverified keys as the store does', async () => {
    const { limiter, fail } = failableLimiter(
      { ...policy, limit: 2, keyStrategy: 'api-key' },
      { keysPerAddress: 3 },
    )
    fail()
    let passed = 0
    for (let i = 0; i < 30; i++)
      passed += await admitted(1, limiter, view({ headers: { 'x-api-key': `key-${i}` } }))
    expect(passed).toBe(6)
  })
})

describe('a store that comes back', () => {
  const quota = { name: 'q', limit: 100, period: 'yearly', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const

  it('a store that comes back decides again, from its own counters', async () => {
    const { limiter, fail, recover } = failableLimiter(policy)
    await times(2, limiter)
    fail()
    await times(5, limiter)
    await recover()
    expect(await limiter.check(view())).toMatchObject({ degraded: false, remaining: 9 })
  })

  it('a store that comes back receives the local charges of quotas, once', async () => {
    const { store, limiter, fail, recover } = failableLimiter(quota)
    await times(2, limiter)
    fail()
    await times(7, limiter)
    await recover()
    const { used } = (await new QuotaManager(store).checkQuota({ ip: '203.0.113.7' }, quota)).quota
    expect(used).toBe(9)
    store.fault = 'reject'
    await times(3, limiter)
    await recover()
    expect((await new QuotaManager(store).checkQuota({ ip: '203.0.113.7' }, quota)).quota.used).toBe(12)
  })

  it('a store receives a write again that it refused, but not one that it may have applied', async () => {
    const full = Object.assign(new Error('OOM command not allowed'), { reply: 'OOM' })
    for (const [error, used] of [
      [full, 5],
      [new Error('connection lost'), 0],
    ] as const) {
      const { store, limiter, fail } = failableLimiter(quota)
      store.error = error
      fail()
      await times(5, limiter)
      // The probe gets an answer, the write does not.
      Object.assign(store, { probe: async () => {} })
      const { calls } = store
      while (store.calls === calls) {
        await limiter.check(view({ ip: '198.51.100.99' }), { cost: 0 })
        await pause(20)
      }
      store.fault = 'none'
      const managers = new QuotaManager(store)
      const read = async (): Promise<number> =>
        (await managers.checkQuota({ ip: '203.0.113.7' }, quota)).quota.used
      while ((await limiter.check(view({ ip: '198.51.100.99' }), { cost: 0 })).degraded !== false)
        await pause(20)
      await pause(20)
      expect(await read()).toBe(used)
    }
  })

  it('a store that comes back empty keeps refusing clients that are blocked, and no longer than announced', async () => {
    // Without delays, because the store hears of the refusal later by the time of three of them, and holds it so much longer.
    const delays = { least: 0, most: 0 }
    const world = await aWorld({ ...policy, limit: 3, window: 3, blockDuration: 3 } as never, { delays })
    const ask = async (process = 0): Promise<Ask> => {
      const { ask: own } = world.ask(process, { by: 'check' })
      await world.pass(5)
      return own
    }
    for (let i = 0; i < 3; i++) expect((await ask()).end).toBe('started')
    const { end, endedAt, retryAfter } = await ask()
    expect(end).toBe('refused')
    world.network.begin('away')
    for (let i = 0; i < 3; i++) expect(await ask()).toMatchObject({ end: 'refused', degraded: 'local' })
    await world.server.lose()
    world.network.end(0)
    await world.pass(1000)
    // Its probe finds the store, and the store is told of the refusal.
    await ask()
    await world.pass(100)
    const { index: other } = world.addProcess()
    const announced = (endedAt! + retryAfter!) / 1000
    for (const process of [0, other])
      expect(await ask(process)).toMatchObject({ end: 'refused', degraded: false })
    await world.pass(announced - 6 - nowMs(world))
    expect((await ask()).end).toBe('refused')
    await world.pass(announced + 1 - nowMs(world))
    expect((await ask()).end).toBe('started')
  })
})

describe('the local store', () => {
  const numbers = {
    limit: 1,
    capacity: 1,
    unit: 1,
    rate: 1,
    window: 1e9,
    slice: 1e8,
    precision: 10,
    cooldown: 0,
  }
  const rule = { ...numbers, code: 'f', counter: 'p:f', reduced: undefined } as const
  const ask = (store: LocalStore, subject: string): boolean =>
    store.evaluate({ demands: [{ rule, subject, cost: 1, mode: 0, penalized: false }] }).allowed

  it('the local store is bounded, and a flood of keys does not evict refused keys', () => {
    const store = new LocalStore(() => 1e15, 100)
    expect([ask(store, 'attacker'), ask(store, 'attacker')]).toEqual([true, false])
    for (let i = 0; i < 5000; i++) ask(store, `flood-${i}`)
    expect(store.size).toBeLessThanOrEqual(200)
    expect(ask(store, 'attacker')).toBe(false)
    expect(ask(store, 'flood-1')).toBe(true)
  })
})

describe('a local charge', () => {
  const away = (policy: Policy | Quota): { limiter: RateLimiter; store: FaultyStore } => {
    const store = new FaultyStore()
    store.fault = 'reject'
    return { limiter: new RateLimiter({ store, policy, warn: () => {} }), store }
  }

  it('a local charge is refunded without the store', async () => {
    const { limiter } = away({ name: 'p', limit: 5, window: 60, algorithm: 'fixed-window' })
    const decision = await limiter.check(view(), { cost: 5 })
    expect(decision).toMatchObject({ allowed: true, degraded: 'local' })
    expect((await limiter.check(view())).allowed).toBe(false)
    await limiter.settle(decision, 2)
    expect((await limiter.check(view(), { cost: 3 })).allowed).toBe(true)
    expect((await limiter.check(view())).allowed).toBe(false)
  })

  it('a local charge ends with its request in flight', async () => {
    const { limiter } = away({ name: 'f', limit: 1, algorithm: 'concurrency', ttl: 60 })
    const decision = await limiter.check(view())
    expect((await limiter.check(view())).allowed).toBe(false)
    await limiter.release(decision)
    expect((await limiter.check(view())).allowed).toBe(true)
  })

  it('a local charge of a quota is written back later, with its corrections', async () => {
    const quota: Quota = { name: 'q', limit: 100, period: 'daily', anchor: aMinuteAgo(), keyStrategy: 'ip' }
    const { limiter, store } = away(quota)
    const [first, second] = [
      await limiter.check(view(), { cost: 30 }),
      await limiter.check(view(), { cost: 20 }),
    ]
    expect(second.degraded).toBe('local')
    await limiter.settle(first, 10)
    store.fault = 'none'
    await pause(700)
    await limiter.check(view(), { cost: 1 })
    await pause(50)
    expect((await limiter.peek(view())).remaining).toBe(100 - 10 - 20 - 1)
    await limiter.settle(second, 0)
    expect((await limiter.peek(view())).remaining).toBe(100 - 10 - 1)
  })
})

it('a limiter that closes tells a store that has just come back of the quotas that were charged without it', async () => {
  const day: Quota = { name: 'day', limit: 100, period: 'daily', anchor: aMinuteAgo() }
  const { store, limiter, fail } = failableLimiter(day, { instances: 1 })
  fail()
  expect(await admitted(5, limiter)).toBe(5)
  store.fault = 'none'
  await limiter.close()
  const other = new RateLimiter({ store, policy: day, warn: () => {} })
  expect((await other.peek(view())).remaining).toBe(95)
})
