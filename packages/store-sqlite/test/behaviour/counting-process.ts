// A process that counts in a file until it is killed, or until every key is refused. It tells each admission by a byte, before it asks again.
import { writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'

import { type Durability, SqliteStore } from '../../src/index.ts'
import type { Database } from '../drivers.ts'

/** The orders of the test to the process, as JSON. */
export interface Orders {
  /** The file of better-sqlite3, which is a native module. */
  readonly driver: string
  readonly path: string
  readonly durability: Durability
  readonly keys: number
  readonly limit: number
  /** How many callers ask at once. */
  readonly callers: number
}

const orders = JSON.parse(process.argv[2] ?? '') as Orders
const Better = createRequire(import.meta.url)(orders.driver) as new (path: string) => Database
const { durability, keys, limit, callers } = orders
const store = new SqliteStore({ database: new Better(orders.path), durability, lockTimeout: 1_000 })
// Closed, so that only what the file has counted is admitted.
const policy = {
  name: 'shared',
  limit,
  window: '1h',
  algorithm: 'fixed-window',
  onStoreError: 'closed',
} as const
const limiter = new RateLimiter({ store, policy, storeTimeout: '60s', warn: () => {} })

async function ask(): Promise<void> {
  const open = Array.from({ length: keys }, (_, i) => `key-${i}`)
  for (let i = 0; open.length > 0; i++) {
    const at = i % open.length
    const { allowed, degraded } = await limiter.consume(open[at] as string)
    if (allowed) writeSync(1, '.')
    else if (degraded === false) open.splice(at, 1)
    // A store that failed is probed in another turn of the event loop.
    else await nextTurn()
  }
}

await Promise.all(Array.from({ length: callers }, ask))
process.exit()
