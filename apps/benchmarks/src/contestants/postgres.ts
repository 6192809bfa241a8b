import { RateLimiter } from '@halt/core'
import { PostgresStore, schema } from '@halt/store-postgres'
import pg from 'pg'
import { RateLimiterPostgres } from 'rate-limiter-flexible'

import type { Opened, Task } from './contestant.ts'
import { openedFlexible, openedHalt } from './databases.ts'

/** A limiter on PostgreSQL, on a pool of ten connections. */
export interface PostgresContestant {
  readonly name: string
  open(url: string, task: Task): Promise<Opened<unknown>>
}

const CONNECTIONS = 10

async function openHalt(url: string, { limit, windowMs }: Task, unlogged: boolean): Promise<Opened<unknown>> {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS })
  const name = unlogged ? 'halt_unlogged' : 'halt'
  await pool.query(schema({ schema: name, unlogged }))
  const store = new PostgresStore({ query: pool, schema: name })
  const policy = { name: 'api', limit, window: windowMs / 1000 }
  const limiter = new RateLimiter({ store, policy, storeTimeout: '10s', instances: 1 })
  return openedHalt(limiter, () => pool.end())
}

function openFlexible(url: string, { limit, windowMs }: Task, options: string): Promise<Opened<unknown>> {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS, options })
  const settings = {
    storeClient: pool,
    tableName: 'flexible',
    points: limit,
    duration: windowMs / 1000,
    clearExpiredByTimeout: false,
  }
  return openedFlexible(
    made => new RateLimiterPostgres(settings, made),
    () => pool.end(),
  )
}

/** The contestants by their names. */
export const postgresContestants = {
  halt: { name: '@halt/store-postgres', open: (url, task) => openHalt(url, task, false) },
  haltUnlogged: {
    name: '@halt/store-postgres, unlogged table',
    open: (url, task) => openHalt(url, task, true),
  },
  flexible: {
    name: 'rate-limiter-flexible, RateLimiterPostgres',
    open: (url, task) => openFlexible(url, task, ''),
  },
  flexibleAsync: {
    name: 'rate-limiter-flexible, synchronous_commit off',
    open: (url, task) => openFlexible(url, task, '-c synchronous_commit=off'),
  },
} as const satisfies Record<string, PostgresContestant>

export type PostgresName = keyof typeof postgresContestants
