import { RateLimiter } from '@halt/core'
import { MysqlStore } from '@halt/store-mysql'
import { createPool } from 'mysql2'
import { RateLimiterMySQL } from 'rate-limiter-flexible'

import type { Opened, Task } from './contestant.ts'
import { openedFlexible, openedHalt } from './databases.ts'

/** A limiter on MariaDB. */
interface MysqlContestant {
  readonly name: string
  open(uri: string, task: Task): Promise<Opened<unknown>>
}

async function openHalt(
  uri: string,
  { limit, windowMs }: Task,
  multipleStatements: boolean,
): Promise<Opened<unknown>> {
  const pool = createPool({ uri, connectionLimit: 4, multipleStatements })
  const store = new MysqlStore({ pool })
  await pool.promise().query(store.schema())
  const policy = { name: 'api', limit, window: windowMs / 1000 }
  const limiter = new RateLimiter({ store, policy, storeTimeout: '10s', instances: 1 })
  return openedHalt(limiter, () => pool.promise().end())
}

function openFlexible(uri: string, { limit, windowMs }: Task): Promise<Opened<unknown>> {
  const pool = createPool({ uri, connectionLimit: 10 })
  const settings = {
    storeClient: pool,
    dbName: new URL(uri).pathname.slice(1),
    tableName: 'flexible',
    points: limit,
    duration: windowMs / 1000,
    clearExpiredByTimeout: false,
  }
  return openedFlexible(
    made => new RateLimiterMySQL(settings, made),
    () => pool.promise().end(),
  )
}

/** The contestants by their names. */
export const mysqlContestants = {
  halt: { name: '@halt/store-mysql', open: (uri, task) => openHalt(uri, task, false) },
  haltMultiple: {
    name: '@halt/store-mysql, multipleStatements',
    open: (uri, task) => openHalt(uri, task, true),
  },
  flexible: { name: 'rate-limiter-flexible, RateLimiterMySQL', open: openFlexible },
} as const satisfies Record<string, MysqlContestant>

export type MysqlName = keyof typeof mysqlContestants
