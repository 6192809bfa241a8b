import { RateLimiter } from '@halt/core'
import { type Durability, SqliteStore } from '@halt/store-sqlite'
import Database from 'better-sqlite3'
import { RateLimiterRes, RateLimiterSQLite } from 'rate-limiter-flexible'

import type { Opened, Task } from './contestant.ts'

/** A limiter on a file of SQLite, by better-sqlite3. */
interface SqliteContestant {
  readonly name: string
  open(path: string, task: Task): Promise<Opened<unknown>>
}

const isAdmitted = (answer: unknown): boolean => answer === true

async function openHalt(
  path: string,
  { limit, windowMs }: Task,
  durability: Durability,
): Promise<Opened<unknown>> {
  const database = new Database(path)
  const store = new SqliteStore({ database, durability })
  const policy = { name: 'api', limit, window: windowMs / 1000 }
  const limiter = new RateLimiter({ store, policy, storeTimeout: '10s', instances: 1 })
  return {
    ask: async key => {
      const { allowed, degraded } = await limiter.consume({ ip: key })
      if (degraded !== false) throw new Error('A decision was made without the store')
      return allowed
    },
    admits: isAdmitted,
    close: async () => {
      await limiter.close()
      database.close()
    },
  }
}

async function openFlexible(
  path: string,
  { limit, windowMs }: Task,
  synchronous: 'normal' | 'full',
): Promise<Opened<unknown>> {
  const database = new Database(path)
  database.pragma('journal_mode = wal')
  database.pragma(`synchronous = ${synchronous}`)
  const limiter = await new Promise<RateLimiterSQLite>((resolve, reject) => {
    const made: RateLimiterSQLite = new RateLimiterSQLite(
      {
        storeClient: database,
        storeType: 'better-sqlite3',
        tableName: 'flexible',
        points: limit,
        duration: windowMs / 1000,
        clearExpiredByTimeout: false,
      },
      error => (error === undefined ? resolve(made) : reject(error)),
    )
  })
  return {
    ask: key =>
      limiter.consume(key).then(
        () => true,
        (refusal: unknown) => {
          if (refusal instanceof RateLimiterRes) return false
          throw refusal
        },
      ),
    admits: isAdmitted,
    close: () => database.close(),
  }
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
