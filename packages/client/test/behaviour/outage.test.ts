import { RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { expect, it } from 'vitest'

import { startRedis } from '../../../../tools/servers.ts'
import { limitedFetch } from '../../src/index.ts'
import { serveAnswers } from '../server.ts'

it('a call goes on while Redis is away, although its answer cannot be learned', async () => {
  const redis = await startRedis()
  const client = new Redis(redis.url, { retryStrategy: () => 50 })
  client.on('error', () => {})
  const store = new RedisStore({ client })
  const warned: string[] = []
  const limiter = new RateLimiter({
    store,
    policy: { name: 'calls', limit: 1000, window: 60 },
    warn: ({ code }) => void warned.push(code),
  })
  const { url, got } = await serveAnswers(200, [429, { 'retry-after-ms': '5' }])
  const fetch = limitedFetch({ limiter })
  expect((await fetch(url)).status).toBe(200)

  await redis.stop()
  expect((await fetch(url)).status).toBe(200)
  expect(got.length).toBe(3)
  expect(warned.filter(code => code.startsWith('HALT_W_STORE'))).not.toEqual([])
  await limiter.close()
  client.disconnect()
})
