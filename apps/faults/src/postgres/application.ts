import type { QuerySource } from '@halt/store-postgres'
import pg from 'pg'
import postgres from 'postgres'

import type { PostgresClient } from '../place.ts'
import { ROLE } from './world.ts'

const [host, database, max] = ['127.0.0.1', 'postgres', 4]

/** An application with a pool of its own for the store, with the options that docs/postgres.md names. */
export interface PostgresApplication {
  readonly query: QuerySource
  /** Disconnects in any state. */
  kill(): unknown
}

/** Makes a pool, without waiting for its connections. @param patience how long pg waits for an answer, in milliseconds */
export function openPool(
  client: PostgresClient,
  port: number,
  patience: number = 2_000,
): PostgresApplication {
  return client === 'pg' ? ofPg(port, patience) : ofPostgresJs(port)
}

function ofPg(port: number, patience: number): PostgresApplication {
  const pool = new pg.Pool({ host, port, database, user: ROLE, max, query_timeout: patience })
  // A server that ends idle connections is an event of the pool.
  pool.on('error', () => {})
  return {
    query: pool,
    // It waits for the reply to each statement, and a lost one never comes.
    kill: () => void pool.end().catch(() => {}),
  }
}

function ofPostgresJs(port: number): PostgresApplication {
  const options = { max, fetch_types: false, backoff: () => 0.2, onnotice: () => {} }
  const sql = postgres({ host, port, database, user: ROLE, ...options })
  return { query: sql, kill: () => sql.end({ timeout: 0 }) }
}
