import type { RateLimiterOptions } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'

/** A store, and a function that closes it. */
export interface OpenStore {
  readonly store: RateLimiterOptions['store']
  /** A description for people. */
  readonly where: string
  readonly close: () => Promise<void>
}

/** Options of the store. */
export interface StoreOptions {
  /** The URL of Redis; undefined for the memory of this process. */
  readonly url?: string | undefined
  /** The prefix of every key in Redis. Default `halt:`. */
  readonly prefix?: string | undefined
  /** The Redis client library. Default `ioredis`. */
  readonly library?: 'ioredis' | 'node-redis' | undefined
  /** The clock, in Unix milliseconds. Default: the process's clock in memory, the server's in Redis. */
  readonly clock?: (() => number) | undefined
}

/** Opens the store. */
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
    // Never connected: the store opens a connection of its own. A service would pass the client that it has.
    const store = new RedisStore({ client: createClient({ url }), prefix, clock })
    return { store, where, close: () => store.close() }
  }
  const client = new Redis(url)
  // Without a listener ioredis prints every attempt to connect. Halt goes on without Redis, and warns once.
  client.on('error', () => {})
  const store = new RedisStore({ client, prefix, clock })
  const close = async (): Promise<void> => {
    await store.close()
    client.disconnect()
  }
  return { store, where, close }
}
