// A check of which leases pay a part, while the store fails for the rest.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { guard } from '../../src/http/index.ts'
import type { Decision, OnStoreError, RateLimiter, RatePolicy } from '../../src/index.ts'
import { StoreMisread } from '../../src/store/evaluation-check.ts'
import type { Evaluation, Group, Store } from '../../src/databases/index.ts'
import { view } from '../world.ts'
import { type Processes, processes } from './processes.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const WINDOW = { limit: 1000, window: '10m', algorithm: 'fixed-window', keyStrategy: 'shared' } as const
const LEASE = { share: 0.25, idle: '10s' } as const
const HOT: RatePolicy = { ...WINDOW, name: 'hot', lease: LEASE }
const OTHER: RatePolicy = { ...WINDOW, name: 'other', lease: LEASE }
const EXACT: RatePolicy = { ...WINDOW, name: 'exact', keyStrategy: 'ip' }

type Answer = Evaluation | Promise<Evaluation>

/** A process that holds units of the leased policies, and a store that can fail for the exact one. */
async function holding(policies: readonly RatePolicy[], onStoreError: OnStoreError) {
  const hot = processes(1, policies, { onStoreError, exemptPrivateIps: false })
  const limiter = hot.limiters[0] as RateLimiter
  let fail: ((answer: () => Answer) => Answer) | undefined
  const evaluate = limiter.store.evaluate.bind(limiter.store)
  Object.assign(limiter.store, {
    evaluate: (group: Group): Answer =>
      fail !== undefined && group.demands.some(({ rule }) => rule.counter.startsWith('exact'))
        ? fail(() => evaluate(group))
        : evaluate(group),
  } satisfies Pick<Store, 'evaluate'>)
  for (let i = 0; i < 300; i++) {
    await limiter.check(view())
    if (i % 10 === 0) await hot.pass(1)
  }
  await hot.pass(5)
  return {
    hot,
    limiter,
    /** Lets the store fail for the exact policy during a call. */
    during: async <T>(how: (answer: () => Answer) => Answer, call: () => Promise<T>): Promise<T> => {
      fail = how
      const result = await call()
      fail = undefined
      return result
    },
    /** The units that are charged in the end, when the process has given back what it holds. */
    used: async (policy: RatePolicy): Promise<number> => {
      await limiter.close()
      const { lease: _, ...exact } = policy
      return 1000 - (await hot.limiter(exact).peek(view())).remaining
    },
  }
}

const refused = (): Promise<never> => Promise.reject(new StoreMisread('slot away'))
const names = (decision: Decision): string[] => decision.verdicts.map(({ policy }) => policy)

/** A store that has decided, and whose reply comes 300 ms later. */
async function late(answer: () => Answer): Promise<Evaluation> {
  const evaluation = await answer()
  await new Promise(resolve => void setTimeout(resolve, 300))
  return evaluation
}

/** Checks, and lets the deadline of the store pass. */
async function checkedBeforeReply(hot: Processes, limiter: RateLimiter): Promise<Decision> {
  const check = limiter.check(view(), { cost: 10 })
  await hot.pass(150)
  return check
}

for (const policies of [
  [HOT, EXACT],
  [HOT, OTHER, EXACT],
])
  describe(`a check by ${policies.map(({ name }) => name).join(' and ')}`, () => {
    const leased = policies.filter(({ lease }) => lease !== undefined)

    it('"local" decides a check whole, and a settlement refunds it', async () => {
      const { limiter, during, used } = await holding(policies, 'local')
      const decision = await during(refused, () => limiter.check(view(), { cost: 10 }))
      expect(decision).toMatchObject({ allowed: true, degraded: 'local' })
      expect(names(decision)).toEqual(policies.map(({ name }) => name))
      expect([...limiter.chargesOf(decision)]).toEqual(policies.map(({ name }) => [name, 10]))
      await limiter.settle(decision, 0)
      for (const policy of leased) expect(await used(policy)).toBe(300)
    })

    it('"open" lets a check pass uncounted', async () => {
      const { limiter, during, used } = await holding(policies, 'open')
      const decision = await during(refused, () => limiter.check(view(), { cost: 10 }))
      expect(decision).toMatchObject({ allowed: true, degraded: 'open', verdicts: [] })
      expect(limiter.chargesOf(decision).size).toBe(0)
      await limiter.settle(decision, 0)
      for (const policy of leased) expect(await used(policy)).toBe(300)
    })

    it('"closed" refuses a check, and charges nothing', async () => {
      const { limiter, during, used } = await holding(policies, 'closed')
      const decision = await during(refused, () => limiter.check(view(), { cost: 10 }))
      expect(decision).toMatchObject({ allowed: false, reason: 'store-error' })
      for (const policy of leased) expect(await used(policy)).toBe(300)
    })

    it('a check that a request makes at two mounts is charged once', async () => {
      const { limiter, during } = await holding(policies, 'local')
      const mounts = [guard(limiter, { cost: 10 }), guard(limiter, { cost: 10 })]
      const request = {}
      const check = (): Promise<Decision> => during(refused, () => limiter.check(view(), { cost: 10 }))
      const before = (await check()).verdicts
      await during(refused, async () => {
        for (const { enter } of mounts) await enter(view(), request)
      })
      const after = (await check()).verdicts
      expect(before.map(({ remaining }, i) => remaining - (after[i]?.remaining ?? 0))).toEqual(
        policies.map(() => 20),
      )
    })

    it('a check that the store answers too late is charged there, and a settlement reaches all of it', async () => {
      for (const settled of [undefined, 0, 4]) {
        const { hot, limiter, during, used } = await holding(policies, 'local')
        const decision = await during(late, () => checkedBeforeReply(hot, limiter))
        expect(decision).toMatchObject({ allowed: true, degraded: 'local' })
        if (settled !== undefined) await limiter.settle(decision, settled)
        await hot.pass(300)
        if (settled === undefined)
          expect([...limiter.chargesOf(decision)]).toEqual(policies.map(({ name }) => [name, 10]))
        for (const policy of policies) expect(await used(policy)).toBe(300 + (settled ?? 10))
      }
    })

    it('a check that is refused here while the store is late gives everything back', async () => {
      const { hot, limiter, during, used } = await holding(policies, 'closed')
      const decision = await during(late, () => checkedBeforeReply(hot, limiter))
      expect(decision.allowed).toBe(false)
      await hot.pass(300)
      for (const policy of policies) expect(await used(policy)).toBe(300)
    })

    it('a check that is refused here puts its leased units back though the store never answers', async () => {
      const { hot, limiter, during } = await holding(policies, 'closed')
      const never = (): Promise<never> => new Promise(() => {})
      const decision = await during(never, () => checkedBeforeReply(hot, limiter))
      expect(decision.allowed).toBe(false)
      // What the process holds goes back when it has been idle.
      hot.clock.advance(10)
      await vi.advanceTimersByTimeAsync(10_000)
      for (const { lease: _, ...exact } of leased)
        expect((await hot.limiter(exact).peek(view())).remaining).toBe(700)
    })
  })

it('leased units of a refused check are given back to the store if the process has given back all others', async () => {
  const { hot, limiter, during, used } = await holding([HOT, EXACT], 'closed')
  const failing = async (): Promise<never> => {
    await new Promise(resolve => void setTimeout(resolve, 50))
    throw new StoreMisread('slot away')
  }
  await during(failing, async () => {
    const check = limiter.check(view(), { cost: 10 })
    hot.reconnect()
    await hot.pass(60)
    expect((await check).allowed).toBe(false)
  })
  expect(await used(HOT)).toBe(300)
})

it('a check that leases pay whole needs no store', async () => {
  const { limiter, during, used } = await holding([HOT], 'closed')
  const evaluate = vi.spyOn(limiter.store, 'evaluate')
  const decision = await during(refused, () => limiter.check(view(), { cost: 3 }))
  expect(decision).toMatchObject({ allowed: true, degraded: false })
  expect(evaluate).not.toHaveBeenCalled()
  expect(await used(HOT)).toBe(303)
})

it('units whose batch has ended meanwhile are given back to the store', async () => {
  const short: RatePolicy = { ...HOT, lease: { share: 0.25, idle: '50ms' } }
  const hot: Processes = processes(1, [short, EXACT], { exemptPrivateIps: false, storeTimeout: '1s' })
  const limiter = hot.limiters[0] as RateLimiter
  for (let i = 0; i < 100; i++) {
    await limiter.check(view())
    if (i % 5 === 0) await hot.pass(1)
  }
  const evaluate = limiter.store.evaluate.bind(limiter.store)
  Object.assign(limiter.store, {
    evaluate: async (group: Group) => {
      if (!group.demands.some(({ rule }) => rule.counter.startsWith('exact'))) return evaluate(group)
      await new Promise(resolve => void setTimeout(resolve, 200))
      throw new StoreMisread('slot away')
    },
  })
  const decision = limiter.check(view(), { cost: 2 })
  await hot.pass(210)
  expect(await decision).toMatchObject({ allowed: true, degraded: 'local' })
  await limiter.settle(await decision, 0)
  await limiter.close()
  const { lease: _, ...exact } = short
  expect((await hot.limiter(exact).peek(view())).remaining).toBe(900)
})

it('a process whose leases run out in an outage counts on from what they were told', async () => {
  let isAway = false
  const hot = processes(1, [HOT], { exemptPrivateIps: false, isAway: () => isAway })
  const limiter = hot.limiters[0] as RateLimiter
  let admitted = 0
  for (let i = 0; i < 1200; i++) {
    isAway = i >= 600
    if ((await limiter.check(view())).allowed) admitted++
    if (i % 10 === 0) await hot.pass(1)
  }
  expect(admitted).toBeLessThanOrEqual(1000)
  expect(admitted).toBeGreaterThan(700)
})
