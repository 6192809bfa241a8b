import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { HaltError } from '@halt/core'
import { SqliteStore, type SqliteDatabase } from '@halt/store-sqlite'

import { checkPrefix } from '../command/usage.ts'
import { commandError } from '../command/parse.ts'
import type { CliIo } from '../io.ts'
import type { StoreAddress } from './store-address.ts'

/** An open file of SQLite, the store in it, and what is looked at. */
export interface OpenSqlite {
  readonly store: SqliteStore
  readonly address: () => Promise<StoreAddress>
}

type Open = (path: string) => SqliteDatabase & { close(): unknown }

/**
 * Opens a file of SQLite by better-sqlite3 or by Node's own SQLite, calls `use`, and closes the file.
 *
 * @throws HaltError `HALT_E_COMMAND` for a file that is not there; `HALT_E_STORE_UNAVAILABLE`
 */
export async function withSqlite<T>(
  file: string,
  prefix: string | undefined,
  io: CliIo,
  use: (sqlite: OpenSqlite) => Promise<T>,
): Promise<T> {
  const path = resolve(io.cwd, file)
  // SQLite would make the file, and the command would look at an empty one.
  if (!existsSync(path))
    throw commandError(`There is no file ${file}.`, 'Give the file of the limiters: --sqlite limits.db.')
  const database = open(path, io)
  try {
    const options = { database, ...(prefix === undefined ? {} : { prefix }), warn: () => {} }
    checkPrefix(() => new SqliteStore(options))
    const store = new SqliteStore(options)
    const own = prefix ?? 'halt_'
    const address = async (): Promise<StoreAddress> => {
      const [processes, obeying] = await Promise.all([store.processes(), store.obeyingProcesses()])
      const elsewhere = processes === 0 ? otherPrefixes(database, own) : []
      return { server: `SQLite ${file}`, prefix: own, processes, obeying, elsewhere }
    }
    return await use({ store, address })
  } finally {
    database.close()
  }
}

/** Prefixes of other stores in the file: each has a table of processes. */
function otherPrefixes(database: SqliteDatabase, own: string): string[] {
  const query = "select name from sqlite_master where type = 'table' and name like '%processes'"
  const rows = (database.prepare(query) as { all(): readonly unknown[] }).all()
  const names = rows.map(row =>
    String((row as { readonly name: unknown }).name).slice(0, -'processes'.length),
  )
  return names.filter(name => name !== own)
}

function open(path: string, io: CliIo): ReturnType<Open> {
  const reasons: unknown[] = []
  for (const load of [betterSqlite, ownSqlite]) {
    let driver: Open
    try {
      driver = load(io)
    } catch (error) {
      reasons.push(error)
      continue
    }
    try {
      return driver(path)
    } catch (cause) {
      throw unavailable(
        `${path} cannot be opened: ${cause instanceof Error ? cause.message : String(cause)}.`,
        cause,
      )
    }
  }
  throw unavailable('SQLite cannot be asked, because better-sqlite3 is not installed.', reasons[0])
}

/** better-sqlite3: as a package beside this one, or as one of the folder in which the command runs. */
function betterSqlite({ cwd }: CliIo): Open {
  const from = [import.meta.url, join(cwd, 'halt.js')]
  for (const [i, place] of from.entries())
    try {
      const Database = createRequire(place)('better-sqlite3') as new (path: string) => ReturnType<Open>
      return path => new Database(path)
    } catch (error) {
      if (i === from.length - 1) throw error
    }
  throw new Error('better-sqlite3 is not installed.')
}

/** The SQLite of Node 22 and later. */
function ownSqlite(): Open {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite') as unknown as {
    DatabaseSync: new (path: string) => ReturnType<Open>
  }
  return path => new DatabaseSync(path)
}

function unavailable(message: string, cause: unknown): HaltError {
  return new HaltError(
    'HALT_E_STORE_UNAVAILABLE',
    message,
    'Check the file, and that better-sqlite3 is installed where you run the command: npm install better-sqlite3.',
    { cause },
  )
}
