import { HaltError } from '@halt/core'
import { isStrayPromise } from '@halt/core/store'

import { codeOf, toStoreError } from './store-error.ts'

/** An open database of a synchronous driver: `better-sqlite3`, `node:sqlite`, `bun:sqlite` or `libsql`. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): object
}

/** A prepared statement, as all these drivers have it. */
export interface Statement {
  run(...values: readonly unknown[]): { readonly changes: number | bigint }
  get(...values: readonly unknown[]): unknown
  all(...values: readonly unknown[]): readonly unknown[]
}

/**
 * Reads a column of a row. Each statement of the store that reads has one column, because a driver may be set to give rows as lists. A
 * missing row gives undefined.
 */
export function columnOf(row: unknown, name: string): unknown {
  if (row === undefined || row === null) return undefined
  return Array.isArray(row) ? row[0] : (row as Readonly<Record<string, unknown>>)[name]
}

/** The members by which the store tells drivers apart. */
interface Given {
  readonly exec?: unknown
  readonly prepare?: unknown
  /** `better-sqlite3`, `libsql`; `node:sqlite`. */
  readonly open?: unknown
  readonly isOpen?: unknown
  readonly inTransaction?: unknown
  readonly isTransaction?: unknown
  readonly readonly?: unknown
  /** `sqlite3`; `sqlite`; `@libsql/client`; Drizzle. */
  readonly parallelize?: unknown
  readonly getDatabaseInstance?: unknown
  readonly execute?: unknown
  readonly $client?: unknown
}

const OPEN = `new Database('limits.db') of better-sqlite3, or new DatabaseSync('limits.db') of node:sqlite`

/**
 * Checks that a value is an open database which the store can use, with a file of its own. Returns the path of the file.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`, or `HALT_E_STORE_CORRUPT` if the file is not a database
 */
export function checkDatabase(database: unknown): string {
  checkDriver(database)
  try {
    // A driver's own wait for the lock, five seconds in some, would stop the event loop for as long.
    const set = database.exec('pragma busy_timeout = 0')
    if (isStrayPromise(set)) failAsynchronous('a driver')
    const path = pathOf(database)
    checkTables(database)
    return path
  } catch (error) {
    if (codeOf(error) !== 'SQLITE_NOTADB') throw error
    const { message, fix } = toStoreError(error)
    throw new HaltError('HALT_E_STORE_CORRUPT', `The ${message}.`, fix, { cause: error })
  }
}

function checkDriver(database: unknown): asserts database is SqliteDatabase {
  if (typeof database === 'string') fail('database is the path of a file.', `Open it: give ${OPEN}.`)
  const given = (database ?? {}) as Given
  const client = asynchronousClient(given)
  if (client !== undefined) failAsynchronous(client)
  if (given.$client !== undefined) fail('database is an object of Drizzle.', 'Give its $client.')
  if (typeof given.exec !== 'function' || typeof given.prepare !== 'function')
    fail('database is not an open SQLite database.', `Give ${OPEN}.`)
  if (given.open === false || given.isOpen === false) fail('database is closed.', `Give ${OPEN}.`)
  if (given.readonly === true)
    fail('database was opened read-only, so the store cannot count in it.', `Give ${OPEN}.`)
  if (given.inTransaction === true || given.isTransaction === true)
    fail('database is in a transaction.', `Give the store a connection of its own: ${OPEN}.`)
}

function asynchronousClient(given: Given): string | undefined {
  if (typeof given.parallelize === 'function') return '"sqlite3"'
  if (typeof given.getDatabaseInstance === 'function') return '"sqlite"'
  return typeof given.execute === 'function' ? '"@libsql/client"' : undefined
}

function failAsynchronous(client: string): never {
  fail(
    `database belongs to ${client}, which is asynchronous.`,
    `Open the file by a synchronous driver: ${OPEN}. For a database elsewhere, make a store by txStore of @halt/core/store (docs/testing.md, "A store of your own").`,
  )
}

function pathOf(database: SqliteDatabase): string {
  // The main database is the first.
  const row = (database.prepare('pragma database_list') as Statement).get()
  const path: unknown = Array.isArray(row) ? row[2] : (row as { file?: unknown } | null | undefined)?.file
  if (typeof path !== 'string' || path === '')
    fail(
      'database is in memory, so its counters end with this process, and no other process counts in it.',
      'Open a file, or give the limiter new InMemoryStore(), which is faster.',
    )
  return path
}

const OWN = ['counters', 'documents', 'processes']

/** Refuses the file of an application, whose transactions would keep the checks of all processes waiting. */
function checkTables(database: SqliteDatabase): void {
  let names: readonly string[]
  try {
    const select = database.prepare(`select name from sqlite_master where type = 'table'`) as Statement
    names = select.all().map(row => String(columnOf(row, 'name')))
  } catch (error) {
    if (codeOf(error) === 'SQLITE_NOTADB') throw error
    // A file that cannot be read now may be readable later. Until then the first check tells why.
    return
  }
  const foreign = names.filter(name => !isOwn(name, names))
  if (foreign.length > 0)
    fail(
      `The file of database has tables of an application: ${foreign.slice(0, 3).join(', ')}.`,
      'Give the store a file of its own. A transaction of the application would keep all checks waiting.',
    )
}

/** Whether a table is one of a store's three, under any prefix, or one of SQLite or of a tool such as Litestream. */
function isOwn(name: string, names: readonly string[]): boolean {
  if (/^(?:sqlite|libsql)?_/.test(name)) return true
  const ending = OWN.find(own => name.endsWith(own))
  if (ending === undefined) return false
  const prefix = name.slice(0, -ending.length)
  return OWN.every(own => names.includes(prefix + own))
}

function fail(message: string, fix: string): never {
  throw new HaltError('HALT_E_STORE_OPTION', message, fix)
}
