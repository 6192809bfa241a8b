import { MysqlStore } from '@halt/store-mysql'

import { checkPrefix } from '../command/usage.ts'
import { commandError } from '../command/parse.ts'
import type { CliIo } from '../io.ts'
import { databaseError, type Fixes, loadDriver, messageOf, PATIENCE_MS } from './driver.ts'
import type { StoreAddress } from './store-address.ts'

/** The table of a `MysqlStore` that is given none. */
const DEFAULT_TABLE = 'halt_counters'

const FIXES: Fixes = {
  PERMISSION:
    'Grant the user select, insert, update and delete on the table. `npx @halt/cli doctor --mysql …` tells what is missing.',
  SCHEMA:
    'Give the database and the --table of the limiters. If they have none, run the statement of store.schema().',
  UNAVAILABLE:
    'Check the address, the password, the database, and that mysql2 is installed: npm install mysql2.',
}

/** A pool on MySQL or MariaDB, the store on it, and what is looked at. */
export interface OpenMysql {
  readonly store: MysqlStore
  readonly address: () => Promise<StoreAddress>
}

type Pool = ConstructorParameters<typeof MysqlStore>[0]['pool'] & {
  query(statement: {
    readonly sql: string
    readonly rowsAsArray: true
    readonly timeout: number
  }): Promise<readonly [unknown, unknown]>
  end(): Promise<unknown>
}
type Mysql = { readonly default: { createPool(options: object): Pool } }

/**
 * Connects to MySQL or MariaDB by mysql2, calls `use`, and closes the connection.
 *
 * @throws HaltError `HALT_E_COMMAND` for a wrong address; `HALT_E_STORE_UNAVAILABLE`
 */
export async function withMysql<T>(
  address: string,
  table: string = DEFAULT_TABLE,
  io: CliIo,
  use: (mysql: OpenMysql) => Promise<T>,
): Promise<T> {
  const url = readUrl(address)
  const pool = await connect(url, io)
  try {
    const storeOf = (its: string): MysqlStore => new MysqlStore({ pool, table: its, warn: () => {} })
    checkPrefix(() => storeOf(table))
    await rowsOf(pool, 'select 1').catch(error => {
      throw databaseError(`MySQL at ${url.host} does not answer: ${messageOf(error)}.`, error, FIXES)
    })
    const store = storeOf(table)
    const find = async (): Promise<StoreAddress> => {
      const [processes, obeying] = await Promise.all([store.processes(), store.obeyingProcesses()]).catch(
        error => {
          throw databaseError(
            `The table "${table}" of ${url.host} cannot be read: ${messageOf(error)}.`,
            error,
            FIXES,
          )
        },
      )
      const server = `MySQL ${url.host}, database ${url.pathname.slice(1)}`
      const elsewhere = processes === 0 ? await usedTables(pool, storeOf) : []
      return { server, name: table, isTable: true, processes, obeying, elsewhere }
    }
    return await use({ store, address: find })
  } finally {
    await pool.end()
  }
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && /^(mysql|mariadb):$/.test(url.protocol) && url.pathname.length > 1) return url
  // The address may hold a password, so the message does not repeat it.
  throw commandError(
    '--mysql is not the address of a database of MySQL.',
    'Write mysql://user:password@host:3306/database.',
  )
}

async function connect(url: URL, io: CliIo): Promise<Pool> {
  const { default: mysql } = await loadDriver<Mysql>('mysql2/promise', io).catch((cause: unknown) => {
    throw databaseError('MySQL cannot be asked, because mysql2 is not installed.', cause, FIXES)
  })
  const uri = url.href.replace(/^mariadb:/, 'mysql:')
  return mysql.createPool({ uri, connectionLimit: 2, connectTimeout: PATIENCE_MS })
}

async function rowsOf(pool: Pool, sql: string): Promise<readonly (readonly unknown[])[]> {
  const [rows] = await pool.query({ sql, rowsAsArray: true, timeout: PATIENCE_MS })
  return rows as readonly (readonly unknown[])[]
}

/** The tables of the database that processes use. */
async function usedTables(pool: Pool, storeOf: (table: string) => MysqlStore): Promise<string[]> {
  const sql = `select table_name from information_schema.columns where table_schema = database()
    and column_name in ('k', 'v', 'e') group by table_name having count(*) = 3 limit 20`
  const found: string[] = []
  for (const [name] of await rowsOf(pool, sql)) {
    const table = String(name)
    const count = async (): Promise<number> => storeOf(table).processes()
    // It may be of somebody else, or have a name that no store has.
    if ((await count().catch(() => 0)) > 0) found.push(table)
  }
  return found
}
