import { RateLimiter } from '@halt/core'
import type { Group } from '@halt/core/store'
import { LOOK_RULE, Mode } from '@halt/core/store'

import { SqliteStore, type SqliteStoreOptions } from '../src/index.ts'
import type { Files } from './drivers.ts'

/** A store on a new file, beside what a test needs to make it fail. */
export function sceneOf(files: Files, options: Partial<SqliteStoreOptions> = {}) {
  const path = files.path()
  const database = files.open(path)
  const store = new SqliteStore({ database, ...options })
  return { path, database, store }
}

/** A limiter over a store, and the codes of its warnings. */
export function limiterOf(store: SqliteStore, limit = 1_000_000) {
  const codes: string[] = []
  const limiter = new RateLimiter({
    store,
    policy: { name: 'p', limit, window: '1h', algorithm: 'fixed-window' },
    warn: ({ code }) => void codes.push(code),
  })
  return { limiter, codes }
}

/** A group that charges one counter of a bucket once. */
export function chargeOf(subject: string): Group {
  return { demands: [{ rule: LOOK_RULE, subject, cost: 1, mode: Mode.CHARGE, penalized: false }] }
}
