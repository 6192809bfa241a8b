import { presets, RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'

import { aMinuteAgo } from '../../../tools/a-minute-ago.ts'
import { unique } from '../../../tools/unique.ts'
import { startRedis } from '../../../tools/servers.ts'
import { RedisStore, type RedisStoreSettings } from '../src/index.ts'

// A server of its own, because the tests count all calls and flush all scripts.
const server = await startRedis()
const { url } = server
const client = new Redis(url)
const stores: RedisStore[] = []
afterAll(async () => {
  for (const store of stores) await store.close()
  await client.quit()
  await server.stop()
})

// A busy machine is not a failure of Redis.
const storeTimeout = '60s'

let prefix = ''
beforeEach(() => {
  prefix = `${unique()}:`
})

function storeOf(options: RedisStoreSettings = {}): RedisStore {
  const store = new RedisStore({ client, prefix, ...options })
  stores.push(store)
  return store
}

async function ready(store: RedisStore): Promise<void> {
  for (let i = 0; i < 200; i++) {
    try {
      await store.probe()
      return
    } catch {
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }
  throw new Error('the store did not become ready')
}

const monthly = { name: 'api_calls', limit: 1000, period: 'monthly', anchor: aMinuteAgo() } as const

describe('the keys of RedisStore', () => {
  it('a key holds the subject as the hash tag, the policy and the code of the algorithm', async () => {
    const store = storeOf()
    await ready(store)
    const limiter = new RateLimiter({
      store,
      storeTimeout,
      policy: [presets.PUBLIC_API, { name: 's', limit: 5, window: 10, algorithm: 'sliding-window' }, monthly],
    })
    await limiter.consume({ user: '42' })
    const keys = (await client.keys(`${prefix}{user*`)).sort()
    expect(keys).toEqual([
      `${prefix}{user:42}:api_calls:q`,
      `${prefix}{user:42}:public_api:t`,
      `${prefix}{user:42}:s:s`,
    ])
  })

  it('a key holds a digest of a subject that would choose the slot or break a line', async () => {
    const store = storeOf()
    await ready(store)
    const limiter = new RateLimiter({ store, storeTimeout, policy: presets.PUBLIC_API })
    for (const id of ['{a}', 'a}b', '{', 'a\r\nb', 'a\0b']) await limiter.consume({ user: id })
    const keys = await client.keys(`${prefix}*public_api*`)
    expect(keys.length).toBe(5)
    for (const key of keys) expect(key).toMatch(/\{(?:user:)?#[\w-]{22}\}:public_api:t$/)
  })

  it('a key never holds an API key', async () => {
    const store = storeOf()
    await ready(store)
    const limiter = new RateLimiter({
      store,
      storeTimeout,
      policy: presets.STRICT_API,
      exemptPrivateIps: false,
    })
    await limiter.check({
      method: 'GET',
      url: '/',
      headers: { 'x-api-key': 'sk_live_secret' },
      socket: { remoteAddress: '203.0.113.7' },
    })
    const keys = await client.keys(`${prefix}*`)
    expect(keys.join()).not.toContain('sk_live_secret')
    expect(keys.some(key => key.includes('api-key:#'))).toBe(true)
  })

  it('all keys expire, a second after they equal fresh ones', async () => {
    const store = storeOf()
    await ready(store)
    const policies = [
      { name: 't', limit: 5, window: 10, blockDuration: 30 },
      { name: 'f', limit: 5, window: 10, algorithm: 'fixed-window' },
      { name: 's', limit: 5, window: 10, algorithm: 'sliding-window' },
      { name: 'h', limit: 5, window: '500ms', algorithm: 'fixed-window' },
    ] as const
    const limiter = new RateLimiter({ store, storeTimeout, policy: policies, penalty: {} })
    const began = performance.now()
    for (let i = 0; i < 6; i++) await limiter.consume({ user: '42' }, { idempotencyKey: 'k' })
    for (let i = 0; i < 6; i++) await limiter.consume({ user: '42' })
    const keys = (await client.keys(`${prefix}*`)).filter(key => !key.includes('instances'))
    expect(keys.length).toBeGreaterThan(5)
    // -1 means that a key never expires, and -2 that it has expired.
    for (const key of keys) expect(await client.pttl(key), key).not.toBe(-1)
    const ttl = await client.pttl(`${prefix}{user:42}:t:t`)
    expect(ttl).toBeGreaterThan(30_500 - (performance.now() - began))
    expect(ttl).toBeLessThanOrEqual(31_000)
  })

  it('a key that lost its expiry gets a new one', async () => {
    const store = storeOf()
    await ready(store)
    const limiter = new RateLimiter({ store, storeTimeout, policy: { name: 'p', limit: 5, window: 10 } })
    await limiter.consume({ user: '42' })
    await client.persist(`${prefix}{user:42}:p:t`)
    await limiter.consume({ user: '42' })
    expect(await client.pttl(`${prefix}{user:42}:p:t`)).toBeGreaterThan(0)
  })

  it('a key takes at most 140 bytes for an address and 152 for a quota', async () => {
    const store = storeOf({ prefix: 'halt:' })
    await ready(store)
    const limiter = new RateLimiter({
      store,
      storeTimeout,
      policy: [presets.PUBLIC_API, { ...monthly, keyStrategy: 'ip' }],
    })
    await limiter.consume({ ip: '203.0.113.7' })
    expect(await client.memory('USAGE', 'halt:{ip:203.0.113.7}:public_api:t')).toBeLessThanOrEqual(140)
    expect(await client.memory('USAGE', 'halt:{ip:203.0.113.7}:api_calls:q')).toBeLessThanOrEqual(152)
    await limiter.reset({ ip: '203.0.113.7' })
    await client.del('halt:{ip:203.0.113.7}:api_calls:q')
  })

  it('a key of another type or with other content counts as missing', async () => {
    const store = storeOf()
    await ready(store)
    const limiter = new RateLimiter({
      store,
      storeTimeout,
      policy: [
        { name: 'a', limit: 2, window: 10 },
        { name: 'b', limit: 2, window: 10, algorithm: 'sliding-window' },
      ],
    })
    await client.hset(`${prefix}{user:1}:a:t`, 'x', '1')
    await client.set(`${prefix}{user:1}:b:s`, 'garbage')
    expect((await limiter.consume({ user: '1' })).degraded).toBe(false)
    expect((await limiter.consume({ user: '1' })).remaining).toBe(0)
    // Also for a check alone in its call, of a bucket and of another counter.
    for (const algorithm of ['token-bucket', 'fixed-window'] as const) {
      const one = new RateLimiter({
        store,
        storeTimeout,
        policy: { name: 'c', limit: 2, window: 10, algorithm },
      })
      await client.hset(`${prefix}{user:1}:c:${algorithm[0]}`, 'x', '1')
      expect(await one.consume({ user: '1' })).toMatchObject({ degraded: false, remaining: 1 })
      expect(await one.consume({ user: '1' })).toMatchObject({ degraded: false, remaining: 0 })
    }
  })
})

describe('a RedisStore that was just made', () => {
  it('a new store decides the very first check in Redis', async () => {
    const limiter = new RateLimiter({ store: storeOf(), policy: presets.PUBLIC_API, storeTimeout: '5s' })
    expect((await limiter.consume({ user: '42' })).degraded).toBe(false)
    expect(await client.exists(`${prefix}{user:42}:public_api:t`)).toBe(1)
  })

  it('a new store deletes a key at the very first call', async () => {
    const options = { policy: presets.PUBLIC_API, storeTimeout: '5s' } as const
    await new RateLimiter({ store: storeOf(), ...options }).consume({ user: '42' })
    const limiter = new RateLimiter({ store: storeOf(), ...options })
    await limiter.reset({ user: '42' })
    expect(await client.exists(`${prefix}{user:42}:public_api:t`)).toBe(0)
  })
})

describe('the traffic of RedisStore', () => {
  it('a check is one command, whatever the number of policies, quotas and penalties', async () => {
    const store = storeOf()
    await ready(store)
    const policies = [
      presets.PUBLIC_API,
      { name: 'f', limit: 50, window: 10, algorithm: 'fixed-window' as const },
      monthly,
    ]
    const limiter = new RateLimiter({
      store,
      storeTimeout,
      policy: policies,
      penalty: presets.PENALTY_MODERATE,
    })
    await limiter.consume({ user: 'warm' })
    const before = await calls()
    for (let i = 0; i < 20; i++) await limiter.consume({ user: '42' })
    const after = await calls()
    expect(after.evalsha - before.evalsha).toBe(20)
    expect(after.eval - before.eval).toBe(0)
  })

  it('a key with a remembered refusal takes at most two commands per second', async () => {
    const store = storeOf()
    await ready(store)
    const limiter = new RateLimiter({ store, storeTimeout, policy: { name: 'p', limit: 5, window: 60 } })
    for (let i = 0; i < 6; i++) await limiter.consume({ user: '42' })
    const before = await calls()
    const started = performance.now()
    for (let i = 0; i < 2000; i++) expect((await limiter.consume({ user: '42' })).allowed).toBe(false)
    const seconds = Math.ceil((performance.now() - started) / 1000)
    expect((await calls()).evalsha - before.evalsha).toBeLessThanOrEqual(2 * seconds)
  })

  it('a refusal does not answer a check of smaller cost, or one after a reset', async () => {
    const store = storeOf()
    await ready(store)
    const limiter = new RateLimiter({ store, storeTimeout, policy: { name: 'p', limit: 60, window: 60 } })
    await limiter.consume({ user: '42' }, { cost: 30 })
    expect((await limiter.consume({ user: '42' }, { cost: 50 })).allowed).toBe(false)
    expect((await limiter.consume({ user: '42' }, { cost: 1 })).allowed).toBe(true)
    expect((await limiter.consume({ user: '42' }, { cost: 50 })).allowed).toBe(false)
    await limiter.reset({ user: '42' })
    expect((await limiter.consume({ user: '42' }, { cost: 50 })).allowed).toBe(true)
  })

  it('checks that come together take less than one command each', async () => {
    const store = storeOf()
    await ready(store)
    const limiter = new RateLimiter({ store, policy: presets.PUBLIC_API, storeTimeout })
    await limiter.consume({ user: 'warm' })
    const before = await calls()
    const decisions = await Promise.all(
      Array.from({ length: 256 }, (_, i) => limiter.consume({ user: String(i % 8) })),
    )
    const after = await calls()
    expect(decisions.every(({ allowed }) => allowed)).toBe(true)
    expect(after.evalsha - before.evalsha).toBeLessThanOrEqual(4)
  })

  it('a store survives SCRIPT FLUSH in the middle of traffic without an error or a lost count', async () => {
    const store = storeOf()
    await ready(store)
    const limiter = new RateLimiter({
      store,
      policy: { name: 'p', limit: 200, window: 3600 },
    })
    let admitted = 0
    for (let round = 0; round < 12; round++) {
      const [, ...decisions] = await Promise.all([
        client.script('FLUSH'),
        ...Array.from({ length: 30 }, () => limiter.consume({ user: '42' })),
      ])
      for (const decision of decisions) {
        expect(decision.degraded).toBe(false)
        if (decision.allowed) admitted++
      }
    }
    expect(admitted).toBe(200)
  })

  it('a group alone gets its error, and is charged nothing', async () => {
    const admin = new Redis(url)
    await admin.call('ACL', 'SETUSER', 'narrow', 'on', '>pw', '+@all', '~narrow:*', '%R~*')
    const narrow = new Redis(url, { username: 'narrow', password: 'pw' })
    const store = new RedisStore({ client: narrow, prefix: 'narrow:' })
    const other = new RedisStore({ client: narrow, prefix: 'wide:' })
    stores.push(store, other)
    await ready(store)
    const rule = {
      code: 't',
      counter: 'p:t',
      limit: 5,
      capacity: 5,
      unit: 1e6,
      rate: 1,
      window: 5e6,
      slice: 5e5,
      precision: 10,
      cooldown: 0,
      reduced: undefined,
    } as const
    const demand = { rule, subject: 'user:1', cost: 1, mode: 0, penalized: false } as const
    const failed = await other
      .evaluate({ demands: [demand, { ...demand, subject: 'user:2' }] })
      .catch((error: unknown) => error)
    expect(failed).toMatchObject({ failure: 'misconfigured' })
    expect((await store.evaluate({ demands: [demand] })).allowed).toBe(true)
    expect(await admin.exists('wide:{user:1}:p:t', 'wide:{user:2}:p:t')).toBe(0)
    await Promise.all([narrow.quit(), admin.quit()])
  })
})

async function calls(): Promise<{ evalsha: number; eval: number }> {
  const stats = await client.info('commandstats')
  const count = (name: string): number =>
    Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  return { evalsha: count('evalsha'), eval: count('eval') }
}
