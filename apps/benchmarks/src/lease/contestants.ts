import { RateLimiter, type RatePolicy } from '@halt/core'
import { Redis } from 'ioredis'
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'

import { openStore } from '../contestants/redis-halt.ts'
import type { HotLimit, OpenHot } from './hot-limit.ts'
import { upstash } from './upstash.ts'

/** The share and the time of the leases that are measured. */
export const LEASE = { share: 0.02, idle: '500ms' } as const

const KEY = 'hot'

function halt(lease: RatePolicy['lease']): (url: string, limit: HotLimit) => Promise<OpenHot> {
  return async (url, { limit, windowMs }) => {
    const client = new Redis(url)
    const store = await openStore(client)
    const policy: RatePolicy = { name: 'hot', limit, window: `${windowMs}ms`, lease }
    const limiter = new RateLimiter({ store, policy, onStoreError: 'closed' })
    return {
      ask: async () => (await limiter.consume(KEY)).allowed,
      async close() {
        await limiter.close()
        await client.quit()
      },
    }
  }
}

async function flexible(url: string, { limit, windowMs }: HotLimit): Promise<OpenHot> {
  const client = new Redis(url)
  const limiter = new RateLimiterRedis({
    storeClient: client,
    points: limit,
    duration: windowMs / 1000,
    inMemoryBlockOnConsumed: limit,
  })
  return {
    ask: () =>
      limiter.consume(KEY).then(
        () => true,
        (reason: unknown) => {
          if (reason instanceof RateLimiterRes) return false
          throw reason
        },
      ),
    close: () => client.quit(),
  }
}

async function increment(url: string): Promise<OpenHot> {
  const client = new Redis(url)
  return { ask: async () => (await client.incr(KEY)) > 0, close: () => client.quit() }
}

/** The ways to limit one busy key, the leased one first. */
export const hot = {
  leased: { name: 'limiter.consume, lease of 0.02', open: halt(LEASE) },
  exact: { name: 'limiter.consume, exact', open: halt(undefined) },
  flexible: { name: 'rate-limiter-flexible with inMemoryBlockOnConsumed', open: flexible },
  upstash: { name: "Upstash's cached window, over ioredis", open: upstash },
  increment: { name: 'INCR', open: increment },
}

export type HotName = keyof typeof hot
export const hotNames = Object.keys(hot) as HotName[]
