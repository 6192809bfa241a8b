import { RateLimiter } from '@halt/core'
import { type Durability, SqliteStore } from '@halt/store-sqlite'
import Database from 'better-sqlite3'
import { RateLimiterSQLite } from 'rate-limiter-flexible'

import type { Opened, Task } from './contestant.ts'
import { openedFlexible, openedHalt } from './databases.ts'

/** A limiter on a file of SQLite, by better-sqlite3. */
interface SqliteContestant {
  readonly name: string
  open(path: string, task: Task): Opened<unknown> | Promise<Opened<unknown>>
}

function openHalt(path: string, { limit, windowMs }: Task, durability: Durability): Opened<unknown> {
  const database = new Database(path)
  const store = new SqliteStore({ database, durability })
  const policy = { name: 'api', limit, window: windowMs / 1000 }
  const limiter = new RateLimiter({ store, policy, storeTimeout: '10s', instances: 1 })
  return openedHalt(limiter, () => database.close())
}

function openFlexible(
  path: string,
  { limit, windowMs }: Task,
  synchronous: 'normal' | 'full',
): Promise<Opened<unknown>> {
  const database = new Database(path)
  database.pragma('journal_mode = wal')
  database.pragma(`synchronous = ${synchronous}`)
  const options = {
    storeClient: database,
    storeType: 'better-sqlite3',
    tableName: 'flexible',
    points: limit,
    duration: windowMs / 1000,
    clearExpiredByTimeout: false,
  } as const
  return openedFlexible(
    made => new RateLimiterSQLite(options, made),
    () => database.close(),
  )
}

/** The contestants by their names. */
export const sqliteContestants = {
  halt: { name: '@halt/store-sqlite', open: (path, task) => openHalt(path, task, 'process') },
  haltPower: {
    name: '@halt/store-sqlite, durability "power"',
    open: (path, task) => openHalt(path, task, 'power'),
  },
  flexible: {
    name: 'rate-limiter-flexible, RateLimiterSQLite',
    open: (path, task) => openFlexible(path, task, 'normal'),
  },
  flexiblePower: {
    name: 'rate-limiter-flexible, synchronous FULL',
    open: (path, task) => openFlexible(path, task, 'full'),
  },
} as const satisfies Record<string, SqliteContestant>

export type SqliteName = keyof typeof sqliteContestants
