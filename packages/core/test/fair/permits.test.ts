// Tenants that share requests in flight.
import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { type Decision, RateLimiter } from '../../src/index.ts'
import { ManualClock, ReferenceStore } from '../../src/testing/index.ts'
import { Random } from '../line/random.ts'
import { passingWorld } from '../waiting/passing-world.ts'
import { by } from '../world.ts'
import { jain } from './crowd.ts'

const POOL = {
  name: 'pool',
  algorithm: 'concurrency',
  limit: 100,
  ttl: 30,
  keyStrategy: 'shared',
  fair: { by: 'user' },
} as const

/** How long tenants ask: milliseconds. */
const MS = isFull ? 3000 : 1200

interface Asker {
  readonly user: { readonly id: string }
}

/** Tenants whose requests take 20 to 180 ms. Returns what share of its requests each had admitted, and how many it had in flight. */
async function play(
  rates: Readonly<Record<string, number>>,
  ms = MS,
  { limit, weight }: { readonly limit?: number; readonly weight?: (user: string) => number } = {},
) {
  const clock = new ManualClock(1_700_000_000_000)
  const fair = { by: 'user', weight: (request: Asker) => weight?.(request.user.id) ?? 1 } as const
  const policy = { ...POOL, limit: limit ?? POOL.limit, fair }
  const limiter = new RateLimiter<Asker>({ store: new ReferenceStore(clock.now), policy })
  const random = new Random(7)
  const ends: { readonly at: number; readonly user: string; readonly decision: Decision }[] = []
  const [held, asked, got] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()]
  const add = (to: Map<string, number>, user: string, by: number): void =>
    void to.set(user, (to.get(user) ?? 0) + by)
  let [flying, area, count] = [0, 0, 0]
  for (let now = 0; now < ms; now++) {
    clock.advance('1ms')
    while (ends[0] !== undefined && ends[0].at <= now) {
      const { user, decision } = ends.shift()!
      await limiter.release(decision)
      add(held, user, -1)
      flying--
    }
    for (const [user, rate] of Object.entries(rates)) {
      for (let tries = rate / 1000; tries > 0; tries--) {
        if (random.next() >= tries) continue
        const decision = await limiter.checkView(by(user))
        if (now >= ms / 2) add(asked, user, 1)
        if (!decision.allowed) continue
        if (now >= ms / 2) add(got, user, 1)
        add(held, user, 1)
        flying++
        ends.push({ at: now + random.between(20, 180), user, decision })
        ends.sort((a, b) => a.at - b.at)
      }
    }
    if (now >= ms / 2) [area, count] = [area + flying, count + 1]
  }
  return { share: (user: string) => got.get(user)! / asked.get(user)!, got, inUse: area / count, limiter }
}

describe('places in flight that tenants share', () => {
  it('a shared pool leaves places free for quiet tenants beside a loud one', async () => {
    const quiet = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`q${i}`, 8]))
    const { share } = await play({ loud: 8000, ...quiet })
    for (const user of Object.keys(quiet)) expect(share(user)).toBeGreaterThan(0.98)
  })

  it('a shared pool gives heavy tenants places alike, and nearly all are in use', async () => {
    const heavy = { a: 8000, b: 3000, c: 2000, d: 1500 }
    const { got, inUse } = await play(heavy)
    expect(jain(Object.keys(heavy).map(user => got.get(user)!))).toBeGreaterThan(0.98)
    expect(inUse).toBeGreaterThan(90)
  })

  const weights: [string, (user: string) => number][] = [
    ['a large weight', user => (user === 'loud' ? 100 : 1)],
    ['large weights alone', () => 100],
  ]
  it.each(isFull ? weights : weights.slice(0, 1))(
    'a shared pool leaves places free for quiet tenants beside a loud one, with %s',
    async (_, weight) => {
      const quiet = Object.fromEntries(Array.from({ length: 10 }, (__, i) => [`q${i}`, 8]))
      const { share, inUse } = await play({ loud: 8000, ...quiet }, MS, { weight })
      for (const user of Object.keys(quiet)) expect(share(user)).toBeGreaterThan(0.9)
      expect(inUse).toBeGreaterThan(90)
    },
  )

  it('a shared pool gives tenants of the same weight places alike, whatever the weight', async () => {
    for (const limit of isFull ? [20, 100] : [20]) {
      const { got } = await play({ a: 8000, b: 1500 }, MS, { limit, weight: () => 10 })
      expect(jain([got.get('a')!, got.get('b')!])).toBeGreaterThan(0.95)
    }
  })

  it('a shared pool gives a lone tenant four fifths of its places', async () => {
    const { inUse } = await play({ only: 8000 }, 1000)
    expect(inUse).toBeGreaterThan(78)
    expect(inUse).toBeLessThanOrEqual(80)
  })

  it('a refusal of a shared pool has its reason, and a wait that is never 0', async () => {
    const clock = new ManualClock(1_700_000_000_000)
    const limiter = new RateLimiter({ store: new ReferenceStore(clock.now), policy: { ...POOL, limit: 10 } })
    const held: Decision[] = []
    for (let i = 0; i < 8; i++) held.push(await limiter.consume({ user: 'a' }))
    expect(held.map(({ allowed }) => allowed)).toEqual(Array(8).fill(true))
    const refused = await limiter.consume({ user: 'a' })
    expect(refused).toMatchObject({ allowed: false, reason: 'fair-share', key: 'user:a' })
    expect(refused.retryAfter).toBeGreaterThan(0)
    expect((await limiter.consume({ user: 'b' })).allowed).toBe(true)
    await limiter.release(held[0]!)
    await limiter.release(held[1]!)
    expect((await limiter.consume({ user: 'a' })).allowed).toBe(true)
  })

  it('a caller that waits for a place wakes as soon as another tenant gives one back', async () => {
    const clock = new ManualClock(1_700_000_000_000)
    const limiter = new RateLimiter({ store: new ReferenceStore(clock.now), policy: { ...POOL, limit: 10 } })
    const held: Decision[] = []
    for (let i = 0; i < 7; i++) held.push(await limiter.consume({ user: 'a' }))
    const other = await limiter.consume({ user: 'b' })
    const turn = limiter.acquire({ user: 'a' }, { maxWait: 20 })
    await limiter.release(other)
    expect((await turn).allowed).toBe(true)
  })

  /** Limiters on one pool of 8 places, whose policies cost `costs`. */
  function few(...costs: number[]) {
    const clock = new ManualClock(1_700_000_000_000)
    const store = new ReferenceStore(clock.now)
    const limiters = costs.map(
      cost => new RateLimiter({ store, policy: { ...POOL, limit: 8, cost }, warn: () => {} }),
    )
    return { clock, limiters }
  }

  it('a tenant gets all places of a pool when none is taken, at the instant that it was told', async () => {
    const { clock, limiters } = few(1, 7)
    const [small, large] = limiters as [RateLimiter, RateLimiter]
    expect((await small.consume({ user: 'b' })).allowed).toBe(true)
    const refused = await large.consume({ user: 'a' })
    expect(refused).toMatchObject({ allowed: false, retryAfterMs: 30_000 })
    clock.advance('29999ms')
    expect((await large.consume({ user: 'a' })).allowed).toBe(false)
    clock.advance('1ms')
    expect((await large.consume({ user: 'a' })).allowed).toBe(true)
  })

  it('a caller that must wait for all other places asks no more often than every 50 ms', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const { store, limiter, acquire, refused, pass } = passingWorld()
    const asked = vi.spyOn(store, 'evaluate')
    await limiter({ ...POOL, limit: 8 }).consume({ user: 'b' })
    const turn = acquire(limiter({ ...POOL, limit: 8, cost: 7 }), { user: 'a' }, 'a', { maxWait: '300ms' })
    await pass(400)
    await turn
    expect(refused).toHaveLength(1)
    expect(asked.mock.calls.length).toBeLessThan(20)
  })

  it('a caller that accepts fewer places than it asks for leaves some free for others', async () => {
    const clock = new ManualClock(1_700_000_000_000)
    const limiter = new RateLimiter({ store: new ReferenceStore(clock.now), policy: POOL })
    await limiter.consume({ user: 'b' })
    const some = await limiter.consume({ user: 'a' }, { cost: { pool: 100 }, least: { pool: 1 } })
    // With 79 of its own 20 are free, of which it may hold four times as many.
    expect(some).toMatchObject({ allowed: true, cost: 79 })
    expect((await limiter.consume({ user: 'a' })).reason).toBe('fair-share')
    expect((await limiter.consume({ user: 'b' })).allowed).toBe(true)
  })

  it('explain tells a tenant that has its share left that places are free at once', async () => {
    const { limiters } = few(1)
    await limiters[0]!.consume({ user: 'a' })
    const { policies, decision } = await limiters[0]!.explain({ user: 'b' })
    expect(decision?.allowed).toBe(true)
    expect(policies[0]!.waits.map(({ cost, seconds }) => [cost, seconds])).toEqual([
      [1, 0],
      [8, 30],
    ])
  })
})
