import { limitedFetch } from '@halt/client'
import { RateLimiter } from '@halt/core'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import pRetry from 'p-retry'
import { Agent, interceptors, request } from 'undici'

/** Makes one call. Resolves to whether it was served. */
type Call = (url: string) => Promise<boolean>

/** A caller, and how it ends. */
export interface Caller {
  readonly call: Call
  close(): Promise<void>
}

/** The ways of calling that are compared. They run in processes of their own. */
export const callers: Readonly<Record<string, (redisUrl: string) => Caller>> = {
  'limitedFetch, limiter of 50 per second': redisUrl => limited(redisUrl, 50),
  'limitedFetch, limiter of 60 per second': redisUrl => limited(redisUrl, 60),
  'p-retry around fetch': () => ({ call: withRetry, close: async () => {} }),
  'undici, interceptors.retry': () => undiciRetry(),
}

function limited(redisUrl: string, limit: number): Caller {
  const client = new Redis(redisUrl)
  const store = new RedisStore({ client, prefix: `calls-${limit}:` })
  const policy = { name: 'calls', limit, window: 1, burst: 1 }
  // A call can wait for the store longer than a request of a client can.
  const limiter = new RateLimiter({ store, policy, storeTimeout: '2s' })
  const fetch = limitedFetch({ limiter, key: 'server', maxWait: '2m' })
  return {
    async call(url) {
      const response = await fetch(url)
      await response.arrayBuffer()
      return response.ok
    },
    async close() {
      await limiter.close()
      client.disconnect()
    },
  }
}

async function withRetry(url: string): Promise<boolean> {
  const attempt = async (): Promise<boolean> => {
    const response = await fetch(url)
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`status ${response.status}`)
    return true
  }
  return pRetry(attempt, { retries: 10, randomize: true }).catch(() => false)
}

function undiciRetry(): Caller {
  const agent = new Agent()
  const dispatcher = agent.compose(interceptors.retry({ maxRetries: 10 }))
  return {
    call: url =>
      request(url, { dispatcher }).then(
        async ({ body }) => {
          await body.dump()
          return true
        },
        () => false,
      ),
    close: () => agent.close(),
  }
}
