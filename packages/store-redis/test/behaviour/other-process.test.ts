// Two stores on one server, each with its own connection, stand for two processes.
import { type Policy, QuotaManager, RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, inject, it } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { unique } from '../../../../tools/unique.ts'
import { RedisStore } from '../../src/index.ts'

const client = new Redis(inject('redisUrl'))
const stores: RedisStore[] = []
afterAll(async () => {
  for (const store of stores) await store.close()
  await client.quit()
})

let prefix = ''
beforeEach(() => {
  prefix = `${unique()}:`
})

function storeOf(): RedisStore {
  const store = new RedisStore({ client, prefix })
  stores.push(store)
  return store
}

function limiterOf(policy: Policy | readonly Policy[]): RateLimiter {
  return new RateLimiter({ store: storeOf(), policy: policy as Policy, storeTimeout: '5s', warn: () => {} })
}

const request = {
  socket: { remoteAddress: '203.0.113.7' },
  method: 'GET',
  url: '/a',
  route: '/a',
  user: { id: '42' },
}

describe('a counter of another process', () => {
  const window: Policy = { name: 'w', limit: 2, window: 600, algorithm: 'fixed-window' }

  it('a request resets the counters of another process, and reset returns the number', async () => {
    const policies: Policy[] = [
      { ...window, name: 'route', scope: 'route' },
      { ...window, name: 'pair', keyStrategy: 'composite' },
    ]
    const [one, other] = [limiterOf(policies), limiterOf(policies)]
    for (let i = 0; i < 3; i++) await one.check(request)
    expect((await other.peek(request)).allowed).toBe(false)
    expect(await other.reset(request)).toBe(2)
    expect(await other.reset(request)).toBe(0)
    // A check of the other limiter may remember its refusal for a second. The store does not.
    expect((await one.peek(request)).allowed).toBe(true)
  })

  it('a counter of another process is not reported as reset if its routes are not known', async () => {
    const routed: Policy = { ...window, scope: 'route' }
    const [one, other] = [limiterOf(routed), limiterOf(routed)]
    for (let i = 0; i < 3; i++) await one.check(request)
    await other.check({ ...request, url: '/b', route: '/b' })
    await expect(other.reset({ ip: '203.0.113.7' })).rejects.toMatchObject({
      code: 'HALT_E_ROUTES_UNKNOWN',
      summary: expect.stringContaining('forgot 1 counters'),
    })
    expect((await one.peek(request)).allowed).toBe(false)
  })

  it('a manager of this process tops up and refunds a counter of another one', async () => {
    const monthly = { name: 'month', limit: 3, period: 'monthly', anchor: aMinuteAgo() } as const
    const limiter = limiterOf(monthly as unknown as Policy)
    const quotas = new QuotaManager(storeOf(), { storeTimeout: '5s' })
    for (let i = 0; i < 3; i++) await limiter.consume({ user: '42' })
    expect((await limiter.consume({ user: '42' })).reason).toBe('quota-exceeded')
    const grants = Array.from({ length: 5 }, () =>
      quotas.grantQuota('42', monthly, 2, { idempotencyKey: 'invoice' }),
    )
    await Promise.all(grants)
    expect(await limiter.consume({ user: '42' }, { cost: 2 })).toMatchObject({
      allowed: true,
      limit: 5,
      remaining: 0,
    })
    // Each used unit is refunded once.
    const given = await Promise.all(Array.from({ length: 4 }, () => quotas.refundQuota('42', monthly, 2)))
    expect(given.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 2])
    expect((await quotas.checkQuota('42', monthly)).quota).toMatchObject({
      used: 0,
      granted: 2,
      remaining: 5,
    })
  })
})
