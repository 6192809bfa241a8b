import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { HaltError } from '@halt/core'
import { SqliteStore, type SqliteDatabase } from '@halt/store-sqlite'

import { checkPrefix } from '../command/usage.ts'
import { commandError } from '../command/parse.ts'
import type { CliIo } from '../io.ts'
import { loadDriver, messageOf } from './driver.ts'
import type { StoreAddress } from './store-address.ts'

/** The prefix of a `SqliteStore` that is given none. */
const DEFAULT_PREFIX = 'halt_'

/** An open file of SQLite, the store in it, and what is looked at. */
export interface OpenSqlite {
  readonly store: SqliteStore
  readonly address: () => Promise<StoreAddress>
}

type Database = SqliteDatabase & { close(): unknown }
type DatabaseClass = new (path: string) => Database

/**
 * Opens a file of SQLite by better-sqlite3 or by Node's own SQLite, calls `use`, and closes the file.
 *
 * @throws HaltError `HALT_E_COMMAND` for a file that is not there; `HALT_E_STORE_UNAVAILABLE`
 */
export async function withSqlite<T>(
  file: string,
  prefix: string = DEFAULT_PREFIX,
  io: CliIo,
  use: (sqlite: OpenSqlite) => Promise<T>,
): Promise<T> {
  const path = resolve(io.cwd, file)
  // SQLite would make the file, and the command would look at an empty one.
  if (!existsSync(path))
    throw commandError(`There is no file ${file}.`, 'Give the file of the limiters: --sqlite limits.db.')
  const database = await open(path, io)
  try {
    const storeOf = (its: string): SqliteStore => new SqliteStore({ database, prefix: its, warn: () => {} })
    checkPrefix(() => storeOf(prefix))
    const store = storeOf(prefix)
    const address = async (): Promise<StoreAddress> => {
      const [processes, obeying] = await Promise.all([store.processes(), store.obeyingProcesses()])
      const elsewhere = processes === 0 ? await usedPrefixes(database, storeOf) : []
      return { server: `SQLite ${file}`, name: prefix, processes, obeying, elsewhere }
    }
    return await use({ store, address })
  } finally {
    database.close()
  }
}

/** The prefixes in the file that processes use. Each has a table of processes, also if a command once made it by mistake. */
async function usedPrefixes(
  database: SqliteDatabase,
  storeOf: (prefix: string) => SqliteStore,
): Promise<string[]> {
  const query = "select name from sqlite_master where type = 'table'"
  const rows = (database.prepare(query) as { all(): readonly { readonly name: string }[] }).all()
  const found: string[] = []
  for (const { name } of rows) {
    const [, prefix] = /^((?:[a-z]\w*)?)processes$/i.exec(name) ?? []
    if (prefix !== undefined && (await storeOf(prefix).processes()) > 0) found.push(prefix)
  }
  return found
}

/** Opens the file by better-sqlite3. It may be missing, or lack its native part: then the SQLite of Node 22.13 and later does. */
async function open(path: string, io: CliIo): Promise<Database> {
  let reason: unknown
  try {
    const { default: BetterSqlite } = await loadDriver<{ readonly default: DatabaseClass }>(
      'better-sqlite3',
      io,
    )
    return new BetterSqlite(path)
  } catch (error) {
    reason = error
  }
  const own = process.getBuiltinModule('node:sqlite') as { readonly DatabaseSync: DatabaseClass } | undefined
  try {
    if (own !== undefined) return new own.DatabaseSync(path)
  } catch (error) {
    reason = error
  }
  throw new HaltError(
    'HALT_E_STORE_UNAVAILABLE',
    `${path} cannot be opened: ${messageOf(reason).replace(/\n.*/s, '')}.`,
    'Check the file, and that better-sqlite3 is installed where you run the command: npm install better-sqlite3.',
    { cause: reason },
  )
}
