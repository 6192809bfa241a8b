import { RateLimiter } from '@halt/core'
import { type Group, LOOK_RULE, Mode } from '@halt/core/store'

import { type SqliteDatabase, SqliteStore, type SqliteStoreOptions } from '../src/index.ts'
import type { Files } from './drivers.ts'

/** A store on a new file, beside what a test needs to make it fail. */
export function sceneOf(files: Files, options: Partial<SqliteStoreOptions> = {}) {
  const path = files.path()
  const database = files.open(path)
  return { path, database, store: new SqliteStore({ database, ...options }) }
}

/** A limiter of a large limit over a store, and the codes of the store's errors and of the limiter's warnings. */
export function limiterOf(store: SqliteStore) {
  const codes: string[] = []
  const fixes: string[] = []
  const limiter = new RateLimiter({
    store,
    policy: { name: 'p', limit: 1_000_000, window: '1h', algorithm: 'fixed-window' },
    telemetry: { onStoreError: error => void codes.push((error as { code: string }).code) },
    warn: ({ code, fix }) => {
      codes.push(code)
      fixes.push(fix)
    },
  })
  return { limiter, codes, fixes }
}

/** A group that charges a fixed window of a second, whose limit is 1. */
export function chargeOf(subject: string): Group {
  return { demands: [{ rule: LOOK_RULE, subject, cost: 1, mode: Mode.CHARGE, penalized: false }] }
}

/** The first row that a statement reads. */
export function rowOf(database: SqliteDatabase, text: string): unknown {
  return (database.prepare(text) as { get(): unknown }).get()
}

/** The code of the error that a call throws or rejects with. */
export async function codeOf(call: () => unknown): Promise<string | undefined> {
  try {
    await call()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code
  }
}
