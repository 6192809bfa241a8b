import type { RateLimiterOptions } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'

/** A store, and how to let it go. */
export interface OpenStore {
  readonly store: RateLimiterOptions['store']
  /** For people. */
  readonly where: string
  readonly close: () => Promise<void>
}

/** Which store to open. */
export interface StoreOptions {
  /** Redis; undefined: this process's memory. */
  readonly url?: string | undefined
  /** Begins every key in Redis. Default `halt:`. */
  readonly prefix?: string | undefined
  /** The library that Redis is reached with. Default `ioredis`. */
  readonly library?: 'ioredis' | 'node-redis' | undefined
  /** The time, Unix milliseconds. Default the process's in memory, the server's in Redis. */
  readonly clock?: (() => number) | undefined
}

/** Opens the counters. */
export function openStore({
  url,
  prefix = 'halt:',
  library = 'ioredis',
  clock,
}: StoreOptions = {}): OpenStore {
  if (url === undefined || url === '') {
    return { store: new InMemoryStore(clock && { clock }), where: 'in memory', close: async () => {} }
  }
  const where = `in Redis, ${new URL(url).host}`
  if (library === 'node-redis') {
    // Only a pattern: the store opens a connection of its own. A service would hand over the client it has.
    const store = new RedisStore({ client: createClient({ url }), prefix, clock })
    return { store, where, close: () => store.close() }
  }
  const client = new Redis(url)
  // Without a listener ioredis prints every attempt to connect. Halt goes on without Redis, and says so once.
  client.on('error', () => {})
  const store = new RedisStore({ client, prefix, clock })
  const close = async (): Promise<void> => {
    await store.close()
    client.disconnect()
  }
  return { store, where, close }
}
