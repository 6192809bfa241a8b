// Tenants that share requests in flight.
import { describe, expect, it } from 'vitest'

import { type Decision, RateLimiter } from '../../src/index.ts'
import { ManualClock, ReferenceStore } from '../../src/testing/index.ts'
import { Random } from '../line/random.ts'
import { jain } from './crowd.ts'

const POOL = {
  name: 'pool',
  algorithm: 'concurrency',
  limit: 100,
  ttl: 30,
  keyStrategy: 'shared',
  fair: { by: 'user' },
} as const

/** Tenants whose requests take 20 to 180 ms. Returns what share of its requests each had admitted, and how many it had in flight. */
async function play(rates: Readonly<Record<string, number>>, ms = 3000) {
  const clock = new ManualClock(1_700_000_000_000)
  const limiter = new RateLimiter({ store: new ReferenceStore(clock.now), policy: POOL })
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
        const decision = await limiter.consume({ user })
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
  it('leave some free for quiet tenants beside a loud one', async () => {
    const quiet = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`q${i}`, 8]))
    const { share } = await play({ loud: 8000, ...quiet })
    for (const user of Object.keys(quiet)) expect(share(user)).toBeGreaterThan(0.98)
  })

  it('go to heavy tenants alike, and are nearly all in use', async () => {
    const heavy = { a: 8000, b: 3000, c: 2000, d: 1500 }
    const { got, inUse } = await play(heavy)
    expect(jain(Object.keys(heavy).map(user => got.get(user)!))).toBeGreaterThan(0.98)
    expect(inUse).toBeGreaterThan(90)
  })

  it('leave a lone tenant four fifths', async () => {
    const { inUse } = await play({ only: 8000 }, 1000)
    expect(inUse).toBeGreaterThan(78)
    expect(inUse).toBeLessThanOrEqual(80)
  })

  it('are refused with the reason, and a wait that is never 0', async () => {
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

  it('wake a caller that waits as soon as another tenant gives a place back', async () => {
    const clock = new ManualClock(1_700_000_000_000)
    const limiter = new RateLimiter({ store: new ReferenceStore(clock.now), policy: { ...POOL, limit: 10 } })
    const held: Decision[] = []
    for (let i = 0; i < 7; i++) held.push(await limiter.consume({ user: 'a' }))
    const other = await limiter.consume({ user: 'b' })
    const turn = limiter.acquire({ user: 'a' }, { maxWait: 20 })
    await limiter.release(other)
    expect((await turn).allowed).toBe(true)
  })
})
