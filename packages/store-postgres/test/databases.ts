import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import postgres from 'postgres'
import { inject } from 'vitest'

import { unique } from '../../../tools/unique.ts'
import { PostgresStore, type PostgresStoreOptions, type QuerySource, schema } from '../src/index.ts'

/** A client of a database, by the name of its library. */
export interface Database {
  readonly name: string
  readonly query: QuerySource
  readonly run: (text: string) => Promise<unknown>
  readonly close: () => Promise<unknown>
}

/** A pool of pg on the tests' server. */
export function openPg(options: pg.PoolConfig = {}): Database & { readonly pool: pg.Pool } {
  const pool = new pg.Pool({ connectionString: inject('postgresUrl'), ...options })
  // A server that is shut down ends idle connections with an error event.
  pool.on('error', () => {})
  return { name: 'pg', pool, query: pool, run: text => pool.query(text), close: () => pool.end() }
}

/** postgres.js on the tests' server. */
export function openPostgresJs(): Database {
  const sql = postgres(inject('postgresUrl'), { max: 1, onnotice: () => {} })
  return { name: 'postgres.js', query: sql, run: async text => sql.unsafe(text), close: () => sql.end() }
}

/** A PostgreSQL inside this process. */
export function openPglite(): Database {
  const lite = new PGlite()
  return {
    name: 'PGlite',
    query: lite,
    run: text => lite.exec(text),
    close: () => lite.close(),
  }
}

/** A store in a schema of its own. */
export async function makeStore(
  database: Database,
  options: Partial<PostgresStoreOptions> = {},
): Promise<{ readonly store: PostgresStore; readonly schema: string }> {
  const name = unique()
  await database.run(schema({ schema: name }))
  return { store: new PostgresStore({ query: database.query, schema: name, ...options }), schema: name }
}
