// Tests the differences that the guide from @upstash/ratelimit names, on both sides, over a real Redis.
import { type Policy, RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'

import { type RunningServer, startRedis } from '../../../tools/servers.ts'

let server: RunningServer
let client: Redis
beforeAll(async () => {
  server = await startRedis()
  client = new Redis(server.url)
})
beforeEach(() => client.flushall())
afterAll(async () => {
  await client.quit()
  await server.stop()
})

/** What Ratelimit needs of a client, over ioredis. Only Upstash's own server knows the first line of its scripts. */
const redis = {
  evalsha: (): Promise<never> => Promise.reject(new Error('NOSCRIPT')),
  eval: (script: string, keys: string[], args: unknown[]): Promise<unknown> =>
    client.eval(script.replace(/^#!.*\n/, ''), keys.length, ...keys, ...args.map(String)),
} as never

const day = { name: 'api', limit: 10, window: '1d', algorithm: 'sliding-window' } as const

async function withLimiter(policy: Policy, test: (limiter: RateLimiter) => Promise<void>): Promise<void> {
  const limiter = new RateLimiter({ store: new RedisStore({ client }), policy, storeTimeout: '10s' })
  await test(limiter)
  await limiter.close()
}

it('slidingWindow charges a refused call, and Halt does not', async () => {
  const theirs = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(10, '1 d'), ephemeralCache: false })
  await theirs.limit('42', { rate: 9 })
  expect((await theirs.limit('42', { rate: 50 })).success).toBe(false)
  const stored = await client.mget(await client.keys('*42*'))
  expect(stored.map(Number)).toEqual([59])

  await withLimiter(day, async limiter => {
    await limiter.consume('42', { cost: 9 })
    expect((await limiter.consume('42', { cost: 50 })).allowed).toBe(false)
    expect((await limiter.peek('42')).remaining).toBe(1)
  })
})

it('the deny cache of Ratelimit refuses a small call after a large one, and Halt admits it', async () => {
  const theirs = new Ratelimit({ redis, limiter: Ratelimit.tokenBucket(10, '1 d', 10) })
  await theirs.limit('42', { rate: 5 })
  expect((await theirs.limit('42', { rate: 9 })).success).toBe(false)
  expect(await theirs.limit('42')).toMatchObject({ success: false, reason: 'cacheBlock' })

  await withLimiter(day, async limiter => {
    await limiter.consume('42', { cost: 5 })
    expect((await limiter.consume('42', { cost: 9 })).allowed).toBe(false)
    expect((await limiter.consume('42')).allowed).toBe(true)
  })
})

it('plain Redis refuses the scripts of Ratelimit as they are', async () => {
  const plain = {
    evalsha: (): Promise<never> => Promise.reject(new Error('NOSCRIPT')),
    eval: (script: string, keys: string[], args: unknown[]): Promise<unknown> =>
      client.eval(script, keys.length, ...keys, ...args.map(String)),
  } as never
  const theirs = new Ratelimit({ redis: plain, limiter: Ratelimit.slidingWindow(10, '1 d') })
  await expect(theirs.limit('42')).rejects.toThrow('Unexpected flag in script shebang: allow-key-locking')
})
