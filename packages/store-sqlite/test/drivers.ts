import { rmSync } from 'node:fs'
import { join } from 'node:path'

import Better from 'better-sqlite3'
import Libsql from 'libsql'

import type { SqliteDatabase } from '../src/index.ts'
import { newFolder } from './files.ts'

/** An open database that a test can close. */
export interface Database extends SqliteDatabase {
  close(): unknown
}

/** A driver of SQLite. */
export interface Driver {
  readonly name: string
  readonly open: (path: string) => Database
}

export const betterSqlite: Driver = { name: 'better-sqlite3', open: path => new Better(path) }

export const libsql: Driver = { name: 'libsql', open: path => new Libsql(path) as Database }

/** The folders and the open databases of a test file. */
export class Files {
  readonly #folders: string[] = []
  readonly #open: Database[] = []

  /** The path of a file that does not exist yet. */
  path(): string {
    const folder = newFolder()
    this.#folders.push(folder)
    return join(folder, 'limits.db')
  }

  open(path: string = this.path(), driver: Driver = betterSqlite): Database {
    const database = driver.open(path)
    this.#open.push(database)
    return database
  }

  /** Closes and removes everything. */
  clear(): void {
    for (const database of this.#open.splice(0))
      try {
        database.close()
      } catch {
        // The test has closed it.
      }
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  }
}
