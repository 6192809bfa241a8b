// What `explain` and `inspect` tell of a tenant's share.
import { describe, expect, it } from 'vitest'

import { type Policy } from '../../src/index.ts'
import { by, type World, world } from '../world.ts'

const BACKEND: Policy = {
  name: 'backend',
  limit: 100,
  window: 1,
  burst: 40,
  keyStrategy: 'shared',
  fair: { by: 'user', weight: 2 },
}
const POOL: Policy = {
  name: 'pool',
  algorithm: 'concurrency',
  limit: 100,
  ttl: '30s',
  keyStrategy: 'shared',
  fair: { by: 'user' },
}

/** Lets a tenant take what it gets at one instant. */
async function drain(limiter: ReturnType<World['limiter']>, user: string): Promise<number> {
  let taken = 0
  while ((await limiter.check(by(user))).allowed) taken++
  return taken
}

describe('explain', () => {
  it('explain says that there is plenty while more than half of the bucket is left', async () => {
    const limiter = world().limiter(BACKEND)
    for (let i = 0; i < 20; i++) await limiter.check(by('a'))
    const { policies, ...explanation } = await limiter.explain(by('a'))
    const { ahead, ...fair } = policies[0]!.fair!
    expect(fair).toEqual({ tenant: 'user:a', weight: 2, level: 100, isScarce: false })
    expect(ahead).toBeLessThanOrEqual(0)
    expect(explanation.toString()).toContain(
      '    fair shares: there is plenty, so nobody waits for a turn, "user:a" (weight 2) neither',
    )
  })

  it('explain tells how far a tenant is ahead of its share, what a share is now, and who may go on', async () => {
    const limiter = world().limiter(BACKEND)
    const taken = await drain(limiter, 'a')
    const loud = await limiter.explain(by('a'))
    // Half of the bucket is free for all.
    expect(taken).toBeGreaterThan(20)
    const { fair } = loud.policies[0]!
    expect(fair).toMatchObject({ tenant: 'user:a', weight: 2, isScarce: true })
    expect(fair!.ahead).toBeGreaterThan(0)
    expect(fair!.level).toBeLessThanOrEqual(100)
    expect(String(loud)).toMatch(
      /^ {4}fair shares: scarce, a tenant of weight 1 gets [\d.]+ units a second now, "user:a" \(weight 2\) has had [\d.]+ units beyond its share$/m,
    )
    const quiet = await limiter.explain({ user: 'b' })
    expect(quiet.policies[0]?.fair).toMatchObject({ tenant: 'user:b', isScarce: true })
    expect(quiet.policies[0]!.fair!.ahead).toBeLessThanOrEqual(0)
    expect(String(quiet)).toContain('"user:b" (weight 2) is within its share')
  })

  it('explain tells the wait for each cost, the wait for the turn included', async () => {
    const { clock, limiter } = world()
    const one = limiter({ ...BACKEND, burst: 1000, fair: { by: 'user' } })
    await drain(one, 'a')
    clock.advance('300ms')
    const { decision, policies } = await one.explain(by('a'))
    expect(decision).toMatchObject({ allowed: false, reason: 'fair-share' })
    const wait = policies[0]!.waits.find(({ cost }) => cost === 1)!.seconds
    expect(Math.ceil(wait * 1000)).toBe(decision!.retryAfterMs)
    clock.advance(wait)
    expect((await one.peek(by('a'))).allowed).toBe(true)
  })

  it('explain tells how many places of a pool a tenant may hold', async () => {
    const limiter = world().limiter(POOL)
    expect(await drain(limiter, 'a')).toBe(80)
    const loud = await limiter.explain(by('a'))
    expect(loud.policies[0]?.fair).toEqual({
      tenant: 'user:a',
      weight: 1,
      ahead: 5,
      level: 76,
      isScarce: true,
    })
    expect(String(loud)).toContain(
      '    fair shares: scarce, a tenant of weight 1 may hold 76 now, "user:a" would hold 5 units beyond its share',
    )
    expect((await limiter.explain(by('b'))).policies[0]?.fair).toMatchObject({ ahead: -75, level: 76 })
  })

  it('explain says nothing of shares for a policy without fair', async () => {
    const { fair: _, ...plain } = BACKEND as { fair: unknown } & Policy
    const explanation = await world().limiter(plain).explain(by('a'))
    expect(explanation.policies[0]?.fair).toBeUndefined()
    expect(String(explanation)).not.toContain('fair')
  })
})

describe('inspect', () => {
  it('inspect reads the tenant’s share beside the counter of all tenants', async () => {
    const limiter = world().limiter(BACKEND)
    const taken = await drain(limiter, 'a')
    const readings = await limiter.inspect(by('a'))
    expect(readings.map(({ counter, name, key }) => [counter, name, key])).toEqual([
      ['own', 'backend:t', 'shared'],
      ['share', 'backend@~user:a:v', 'user:a'],
    ])
    expect(readings[0]).toMatchObject({ used: taken, limit: 100, remaining: 40 - taken })
    expect(readings[1]).toMatchObject({ limit: 100, remaining: 0 })
    expect(readings[1]!.used).toBeGreaterThan(0)
    const quiet = await limiter.inspect({ user: 'b' })
    expect(quiet[1]).toMatchObject({ counter: 'share', key: 'user:b', used: 0, remaining: 40 - taken })
  })

  it('inspect reads the places that a tenant holds, and how many it may hold now', async () => {
    const limiter = world().limiter(POOL)
    await drain(limiter, 'a')
    await limiter.check(by('b'))
    const counters = (await limiter.inspect(by('b'))).map(({ counter, limit, used, remaining }) => [
      counter,
      limit,
      used,
      remaining,
    ])
    expect(counters).toEqual([
      ['own', 100, 81, 19],
      ['share', 72, 1, 19],
    ])
    expect((await limiter.inspect(by('a')))[1]).toMatchObject({ used: 80, limit: 72, remaining: 0 })
  })
})
