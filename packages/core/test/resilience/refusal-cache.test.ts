import { describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import {
  PenaltyManager,
  type PenaltyStatus,
  type Policy,
  QuotaManager,
  RateLimiter,
} from '../../src/index.ts'
import { by, times, view } from '../world.ts'
import { FaultyStore, pause } from './faulty-store.ts'

const policy: Policy = { name: 'p', limit: 3, window: 60, algorithm: 'fixed-window' }

/** A limiter on an asynchronous store, and the number of store calls that some requests make. */
function pacing(
  given: Policy | Policy[] = policy,
  keepsPace = true,
): {
  limiter: RateLimiter
  store: FaultyStore
  calls: (ask: () => Promise<unknown>) => Promise<number>
} {
  const store = new FaultyStore()
  store.keepsPace = keepsPace
  const limiter = new RateLimiter({ store, policy: given, warn: () => {} })
  return {
    limiter,
    store,
    async calls(ask) {
      const before = store.calls
      await ask()
      return store.calls - before
    },
  }
}

describe('a remembered refusal', () => {
  it('a remembered refusal makes no store call, and gives the same decision', async () => {
    const { limiter, calls } = pacing()
    const refused = (await times(4, limiter))[3]
    expect(refused).toMatchObject({ allowed: false, degraded: false })
    let again
    expect(await calls(async () => (again = (await times(50, limiter))[49]))).toBe(0)
    expect(again).toMatchObject({
      allowed: false,
      reason: 'limited',
      remaining: 0,
      resetAt: refused?.resetAt,
      degraded: false,
    })
  })

  it('a remembered refusal expires after a second, and is not used after its end', async () => {
    const { limiter, calls } = pacing({ ...policy, window: '300ms' })
    await times(4, limiter)
    await pause(310)
    expect((await limiter.check(view())).allowed).toBe(true)
    const long = pacing()
    await times(4, long.limiter)
    await pause(1010)
    expect(await long.calls(() => times(5, long.limiter))).toBe(1)
    expect(await calls(() => limiter.check(view()))).toBe(1)
  })

  it('a refusal of a quota is not repeated beside a policy that passes, because the quota may be granted more', async () => {
    const quota = { name: 'q', limit: 1, period: 'daily', anchor: aMinuteAgo(), keyStrategy: 'ip' } as const
    const { limiter, calls } = pacing([quota, { name: 'ample', limit: 100, window: 3600 }])
    expect((await times(2, limiter))[1]?.allowed).toBe(false)
    expect(await calls(() => times(3, limiter))).toBe(3)
  })

  it('a remembered refusal stays remembered after a look', async () => {
    const { limiter, calls } = pacing()
    await times(4, limiter)
    expect((await limiter.peek(view())).allowed).toBe(false)
    expect(await calls(() => times(5, limiter))).toBe(0)
  })

  it('a remembered refusal is not for a call that has passed already', async () => {
    const { limiter } = pacing({ ...policy, limit: 1 })
    const ask = async (): Promise<boolean> => (await limiter.check(view(), { idempotencyKey: 'a' })).allowed
    expect([await ask(), (await limiter.check(view())).allowed, await ask()]).toEqual([true, false, true])
  })

  it('a remembered refusal applies to one key, and other keys call the store', async () => {
    const { limiter, calls } = pacing()
    await times(4, limiter)
    expect(await calls(() => limiter.check(view({ ip: '198.51.100.1' })))).toBe(1)
  })

  it('a remembered refusal applies to one cost, and a smaller cost calls the store', async () => {
    const { limiter } = pacing()
    await limiter.check(view(), { cost: 2 })
    expect((await limiter.check(view(), { cost: 2 })).allowed).toBe(false)
    expect((await limiter.check(view(), { cost: 3 })).allowed).toBe(false)
    expect((await limiter.check(view(), { cost: 1 })).allowed).toBe(true)
  })

  it('a remembered refusal is dropped by reset, settle and release', async () => {
    const { limiter } = pacing()
    const [first] = await times(4, limiter)
    await limiter.settle(first!, 0)
    expect((await limiter.check(view())).allowed).toBe(true)
    expect((await limiter.check(view())).allowed).toBe(false)
    await limiter.reset({ ip: '203.0.113.7' })
    expect((await limiter.check(view())).allowed).toBe(true)
    const flight = pacing({ name: 'f', limit: 1, algorithm: 'concurrency', ttl: 60 })
    const [held] = await times(2, flight.limiter)
    await flight.limiter.release(held!)
    expect((await flight.limiter.check(view())).allowed).toBe(true)
  })

  it('a remembered refusal is dropped when another limiter resets, refunds, or clears the penalty', async () => {
    const store = new FaultyStore()
    store.keepsPace = true
    const penalty = { threshold: 1, multiplier: 0.5, duration: 60, recordOn: 'never' as const }
    const user: Policy = { ...policy, limit: 4, keyStrategy: 'user' }
    const make = (): RateLimiter => new RateLimiter({ store, policy: user, penalty, warn: () => {} })
    const [one, other] = [make(), make()]
    const penalties = new PenaltyManager({ store, config: penalty })
    const [first] = await times(4, one, by(1))
    expect((await other.check(by(1))).allowed).toBe(false)
    await one.settle(first!, 0)
    expect((await other.check(by(1))).allowed).toBe(true)
    expect((await one.check(by(1))).allowed).toBe(false)
    await other.reset({ user: '1' })
    expect((await one.check(by(1))).allowed).toBe(true)
    await penalties.applyPenalty('1')
    await times(2, one, by(1))
    expect(await one.check(by(1))).toMatchObject({ allowed: false, reason: 'penalized' })
    await penalties.clearPenalty('1')
    expect((await one.check(by(1))).allowed).toBe(true)
  })

  it('a remembered refusal is never used for another policy, so that an upgrade counts at once', async () => {
    const { store, limiter } = pacing({ ...policy, counter: 'plan' })
    await times(4, limiter)
    const upgraded: Policy = { ...policy, name: 'pro', counter: 'plan', limit: 100 }
    expect((await limiter.check(view(), { policy: upgraded })).allowed).toBe(true)
    expect((await new RateLimiter({ store, policy: upgraded }).check(view())).allowed).toBe(true)
  })

  it('a remembered refusal does not keep refusals of another principal from scoring', async () => {
    const store = new FaultyStore()
    store.keepsPace = true
    const shared: Policy = { ...policy, keyStrategy: 'shared' }
    const heard: string[] = []
    const telemetry = { onViolation: (key: string) => heard.push(key) }
    const limiter = new RateLimiter({
      store,
      policy: shared,
      penalty: { threshold: 5 },
      telemetry,
      warn: () => {},
    })
    await times(3, limiter, by('a'))
    for (const user of ['b', 'c', 'd']) await limiter.check(by(user))
    expect(heard).toEqual(['user:b', 'user:c', 'user:d'])
  })

  it('a remembered refusal is not used when it would score a violation, however short the cool-down', async () => {
    const heard: number[] = []
    const penalized = (cooldown: string): { store: FaultyStore; limiter: RateLimiter } => {
      const store = new FaultyStore()
      store.keepsPace = true
      const telemetry = { onViolation: (_: string, { violations }: PenaltyStatus) => heard.push(violations) }
      const penalty = { threshold: 100, cooldown }
      return { store, limiter: new RateLimiter({ store, policy, penalty, telemetry, warn: () => {} }) }
    }
    const patient = penalized('1m')
    await times(4, patient.limiter)
    const before = patient.store.calls
    await times(20, patient.limiter)
    expect([patient.store.calls - before, heard]).toEqual([0, [1]])
    const strict = penalized('1ms')
    await times(4, strict.limiter)
    await pause(5)
    await times(1, strict.limiter)
    expect(heard).toEqual([1, 1, 2])
  })

  it('a remembered refusal is replaced by newer states from a charge, a peek or another limiter', async () => {
    const hourly: Policy = { name: 'hourly', limit: 20, window: 3600 }
    const { store, limiter } = pacing(hourly)
    const other = new RateLimiter({ store, policy: hourly, warn: () => {} })
    await limiter.check(view(), { cost: 19 })
    const refused = await limiter.check(view(), { cost: 2 })
    expect(refused).toMatchObject({ allowed: false, remaining: 1, retryAfter: 180 })
    expect((await other.check(view())).allowed).toBe(true)
    const again = await limiter.check(view(), { cost: 2 })
    expect(again).toMatchObject({ allowed: false, remaining: 0, retryAfter: 360 })
    // Remembered, and equal to the store's refusal.
    expect(await limiter.check(view(), { cost: 2 })).toMatchObject({ remaining: 0, retryAfter: 360 })
    await limiter.settle(again, 0)
    store.empty()
    await other.peek(view())
    expect((await limiter.check(view(), { cost: 2 })).allowed).toBe(true)
  })

  it('a remembered refusal shows the charges of a quota manager', async () => {
    const daily = { name: 'q', limit: 9, period: 'daily', anchor: aMinuteAgo() } as const
    const { store, limiter } = pacing([{ ...policy, keyStrategy: 'user' }, daily] as never)
    const left = async (): Promise<unknown> =>
      (await limiter.check(by('ann'))).verdicts.find(({ policy: name }) => name === 'q')?.remaining
    await times(3, limiter, by('ann'))
    expect([await left(), await left()]).toEqual([6, 6])
    await new QuotaManager(store).consumeQuota('ann', daily, { cost: 4 })
    expect(await left()).toBe(2)
  })

  it('a refusal that arrived late counts from the store’s decision, not from its arrival', async () => {
    const { store, limiter } = pacing({ ...policy, limit: 1, window: '600ms' })
    const started = performance.now()
    await limiter.check(view())
    Object.assign(store, { fault: 'late answer', lateness: 400 })
    await limiter.check(view())
    store.fault = 'none'
    await pause(650 - (performance.now() - started))
    const { calls } = store
    expect((await limiter.check(view())).allowed).toBe(true)
    expect(store.calls - calls).toBe(1)
  })

  it('a refusal that a newer reply overtook is not kept', async () => {
    const { store, limiter } = pacing({ ...policy, limit: 2 })
    const [first] = await times(2, limiter)
    Object.assign(store, { fault: 'late answer', lateness: 100 })
    const late = limiter.check(view())
    await pause(5)
    store.fault = 'none'
    await limiter.settle(first!, 0)
    await limiter.peek(view())
    await late
    await pause(150)
    expect((await limiter.check(view())).allowed).toBe(true)
  })

  it('a refusal is not kept for a store whose clock does not keep real time', async () => {
    const { limiter, calls } = pacing(policy, false)
    await times(4, limiter)
    expect(await calls(() => times(5, limiter))).toBe(5)
  })
})
