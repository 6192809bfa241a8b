// In a process of its own, in which nobody else listens to decisions.
import { RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { filesEntered } from '../../../tools/files-entered.ts'
import { unique } from '../../../tools/unique.ts'

// A budget that only falls. A line that raises it says for what. On a busy machine a call that waits enters up to three files more.
const MOST = { consume: 53, acquire: 83 }

let redis: Redis
const limiters: RateLimiter[] = []

const limiterOf = (limit: number, window: number): RateLimiter => {
  const limiter = new RateLimiter({
    store: new RedisStore({ client: redis, prefix: unique() }),
    policy: { name: 'api', limit, window },
  })
  limiters.push(limiter)
  return limiter
}

beforeAll(() => {
  redis = new Redis(inject('redisUrl'))
})

afterAll(async () => {
  await Promise.all(limiters.map(limiter => limiter.close()))
  await redis.quit()
})

describe('files', () => {
  it('consume through Redis enters few files', async () => {
    const limiter = limiterOf(1000, 3600)
    await limiter.consume('user:1')
    const files = await filesEntered(async () => expect((await limiter.consume('user:1')).allowed).toBe(true))
    expect(files).toContain('store-redis/store')
    expect(files.length, files.join('\n')).toBeLessThanOrEqual(MOST.consume)
  })

  it('a call that waits through Redis enters few files', async () => {
    // One unit in 50 ms, so that each further call waits.
    const limiter = limiterOf(1, 0.05)
    await limiter.acquire('user:1', { maxWait: 10 })
    await limiter.acquire('user:1', { maxWait: 10 })
    const files = await filesEntered(async () => {
      const both = await Promise.all([1, 2].map(() => limiter.acquire('user:1', { maxWait: 10 })))
      expect(both.every(({ allowed }) => allowed)).toBe(true)
    }, 12)
    expect(files).toContain('core/waiting/line')
    expect(files.length, files.join('\n')).toBeLessThanOrEqual(MOST.acquire)
  })
})
