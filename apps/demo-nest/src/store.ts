import type { RateLimiterOptions } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'

/** A store, and how to let it go. */
export interface OpenStore {
  readonly store: RateLimiterOptions['store']
  /** For people. */
  readonly where: string
  readonly close: () => Promise<void>
}

/**
 * Opens the counters: in Redis where `REDIS_URL` names one, else in this process's memory.
 *
 * @param prefix begins every key in Redis
 */
export async function openStore(prefix = 'halt:'): Promise<OpenStore> {
  const url = process.env['REDIS_URL']
  if (!url) return { store: new InMemoryStore(), where: 'in memory', close: async () => {} }
  const [{ Redis }, { RedisStore }] = await Promise.all([import('ioredis'), import('@halt/store-redis')])
  const client = new Redis(url)
  // Without a listener ioredis prints every attempt to connect. Halt goes on without Redis, and says so once.
  client.on('error', () => {})
  const store = new RedisStore({ client, prefix })
  return {
    store,
    where: `in Redis, ${new URL(url).host}`,
    close: async () => {
      await store.close()
      client.disconnect()
    },
  }
}
