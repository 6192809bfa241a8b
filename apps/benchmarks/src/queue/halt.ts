import { setTimeout as sleep } from 'node:timers/promises'

import { type Decision, RateLimiter } from '@halt/core'
import type { Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'

import type { QueueContestant } from './contestant.ts'
import { watched } from './watched-store.ts'

/** Halt: a bucket whose debt is the line of all processes. */
export const halt: QueueContestant = {
  name: 'Halt',
  way: 'a place in line, by one call',
  isShared: true,
  async open({ limit, windowMs }, url) {
    const client = url === undefined ? undefined : new Redis(url)
    const inner = client === undefined ? new InMemoryStore() : new RedisStore({ client })
    if ('probe' in inner) await opened(inner)
    const { store, calls, longestCall, forget } = watched(inner as Store)
    const policy = { name: 'jobs', limit, window: `${windowMs}ms`, burst: 1 } as const
    const limiter = new RateLimiter({ store, policy, storeTimeout: '5s', mostWaiting: 20_000 })
    // Loads the script, so that the first jobs do not wait for that.
    await limiter.consume('nobody')
    forget()
    return {
      turn: () => limiter.acquire('service', { maxWait: '24h' }),
      admits: answer => (answer as Decision).allowed && (answer as Decision).degraded === false,
      calls,
      longestCall,
      async close() {
        await limiter.close()
        client?.disconnect()
      },
    }
  },
}

// Until the store's own connection is open, the process would count by itself.
async function opened(store: RedisStore): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await store.probe()
      return
    } catch (error) {
      if (attempt === 200) throw error
      await sleep(25)
    }
  }
}
