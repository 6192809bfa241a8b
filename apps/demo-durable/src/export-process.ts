// A process that makes exports for the customer until the quota is used, or until it is killed. It tells each one by a byte.
import { writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { type SqliteDatabase, SqliteStore } from '@halt/store-sqlite'

import { CUSTOMER, type Place, QUOTA } from './quota.ts'

const [, , text = '', driver = ''] = process.argv
const place = JSON.parse(text) as Place
const Database = createRequire(import.meta.url)(driver) as new (path: string) => SqliteDatabase
const store =
  place === 'memory'
    ? new InMemoryStore()
    : new SqliteStore({ database: new Database(place.path), lockTimeout: 1_000 })
// Closed, so that only what the file has counted is admitted.
const limiter = new RateLimiter({ store, policy: QUOTA, onStoreError: 'closed' })

for (;;) {
  const { allowed, degraded } = await limiter.consume(CUSTOMER)
  if (allowed) writeSync(1, '.')
  else if (degraded === false) break
  await nextTurn()
}
process.exit()
