import { PostgresStore, type Query } from '@halt/store-postgres'

import { checkPrefix } from '../command/usage.ts'
import { commandError } from '../command/parse.ts'
import type { CliIo } from '../io.ts'
import { databaseError, type Fixes, loadDriver, messageOf, PATIENCE_MS } from './driver.ts'
import type { StoreAddress } from './store-address.ts'

const FIXES: Fixes = {
  PERMISSION: 'Run `npx @halt/cli doctor --postgres …`, which tells the grants that the role lacks.',
  SCHEMA:
    'Give the database and the --schema of the limiters. If they have none, run schema.sql of @halt/store-postgres.',
  UNAVAILABLE: 'Check the address, the password, the schema, and that pg is installed: npm install pg.',
}

/** A connection to PostgreSQL, the store on it, and what is looked at. */
export interface OpenPostgres {
  readonly store: PostgresStore
  readonly address: () => Promise<StoreAddress>
}

/** A connection that answers queries. */
interface Connection {
  readonly query: Query
  end(): Promise<unknown>
}

/**
 * Connects to PostgreSQL by pg, calls `use`, and closes the connection.
 *
 * @throws HaltError `HALT_E_COMMAND` for a wrong address; `HALT_E_STORE_UNAVAILABLE`
 */
export async function withPostgres<T>(
  address: string,
  {
    prefix = '',
    schema = 'halt',
  }: { readonly prefix?: string | undefined; readonly schema?: string | undefined },
  io: CliIo,
  use: (postgres: OpenPostgres) => Promise<T>,
): Promise<T> {
  const url = readUrl(address)
  checkPrefix(() => new PostgresStore({ query: () => Promise.resolve({ rows: [] }), prefix, schema }))
  const connection = await connect(url, io)
  const { query } = connection
  try {
    await query('SELECT 1 AS one', []).catch(error => {
      throw databaseError(`PostgreSQL at ${url.host} does not answer: ${messageOf(error)}.`, error, FIXES)
    })
    const store = new PostgresStore({ query, prefix, schema, warn: () => {} })
    const address = async (): Promise<StoreAddress> => {
      const count = Promise.all([store.processes(), store.obeyingProcesses()])
      const [processes, obeying] = await count.catch(error => {
        throw databaseError(
          `The schema "${schema}" of ${url.host} cannot be read: ${messageOf(error)}.`,
          error,
          FIXES,
        )
      })
      const server = `PostgreSQL ${url.host}, database ${url.pathname.slice(1) || url.username}, schema ${schema}`
      const elsewhere = processes === 0 ? await otherPrefixes(query, schema) : []
      return { server, name: prefix, processes, obeying, elsewhere }
    }
    return await use({ store, address })
  } finally {
    await connection.end()
  }
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^postgres(ql)?:$/.test(url.protocol)) return url
  // The address may hold a password, so the message does not repeat it.
  throw commandError(
    '--postgres is not an address of PostgreSQL.',
    'Write postgres://user:password@host:5432/database.',
  )
}

async function otherPrefixes(query: Query, schema: string): Promise<string[]> {
  // The store has checked the name of the schema, which may be a reserved word.
  const text = `SELECT DISTINCT prefix FROM "${schema}".instances WHERE seen > clock_timestamp() - interval '15 seconds' AND prefix NOT LIKE '%|obeying' LIMIT 20`
  const { rows } = (await query(text, [])) as { rows: readonly { readonly prefix: string }[] }
  return rows.map(({ prefix }) => prefix)
}

async function connect(url: URL, io: CliIo): Promise<Connection> {
  const { default: pg } = await loadDriver<Pg>('pg', io).catch((cause: unknown) => {
    throw databaseError('PostgreSQL cannot be asked, because pg is not installed.', cause, FIXES)
  })
  const pool = new pg.Pool({
    connectionString: url.href,
    max: 2,
    connectionTimeoutMillis: PATIENCE_MS,
    query_timeout: PATIENCE_MS,
  })
  // A connection that is lost while nobody asks would end the process.
  pool.on('error', () => {})
  return { query: async (text, params) => pool.query(text, params), end: () => pool.end() }
}

type Listen = (event: 'error', listener: () => void) => void

type Pg = { readonly default: { readonly Pool: new (options: object) => Connection & { on: Listen } } }
