import type { HaltWarning, Warn } from '@halt/core'

import type { Durability } from './options.ts'
import { columnOf, type SqliteDatabase, type Statement } from './handle.ts'
import { whenFree } from './lock.ts'
import { MovedFile } from './moved-file.ts'
import { codeOf, toStoreError } from './store-error.ts'

/** The parts of a {@link Connection}. */
interface ConnectionParts {
  readonly database: SqliteDatabase
  readonly path: string
  readonly prefix: string
  readonly durability: Durability
  /** The longest wait for the lock, in milliseconds. */
  readonly lockTimeout: number
  /** A clock in milliseconds, by which the store looks for its file now and then. */
  readonly now: () => number
  readonly warn: Warn
}

const SYNCHRONOUS = { none: 'off', process: 'normal', power: 'full' } as const

// Two processes that start together wait for each other while one makes the tables.
const OPEN_MS = 1_000

/** The log is cut to this size when a reader that made it grow has gone. */
const LOG_BYTES = 16 * 2 ** 20

/**
 * The store's way to its file: it sets the connection up, makes the tables, and runs transactions.
 *
 * A failure is an error of the call that meets it. So a file that is locked or full while a process starts does not end the process.
 */
export class Connection {
  readonly path: string
  /** The names of the tables. */
  readonly tables: { readonly counters: string; readonly documents: string; readonly processes: string }
  readonly #parts: ConnectionParts
  readonly #moved: MovedFile
  readonly #statements = new Map<string, Statement>()
  #begin: Statement | undefined

  constructor(parts: ConnectionParts) {
    const { path, prefix, now } = parts
    this.path = path
    this.#parts = parts
    this.#moved = new MovedFile(path, now)
    this.tables = {
      counters: `${prefix}counters`,
      documents: `${prefix}documents`,
      processes: `${prefix}processes`,
    }
    try {
      this.#open(OPEN_MS)
    } catch {
      // The first check tries again, and tells.
    }
  }

  /** A statement, prepared once. */
  prepare(text: string): Statement {
    let statement = this.#statements.get(text)
    if (statement === undefined)
      this.#statements.set(text, (statement = this.#parts.database.prepare(text) as Statement))
    return statement
  }

  /** The value of a setting of the connection or of the file. */
  pragma(name: string): unknown {
    return columnOf(this.prepare(`pragma ${name}`).get(), name.replace(/\W.*/, ''))
  }

  /**
   * Reads without the lock. Nobody keeps a reader waiting.
   *
   * @throws StoreError
   */
  read<T>(work: () => T): T {
    try {
      if (this.#begin === undefined) this.#open(this.#parts.lockTimeout)
      this.#moved.check()
      return work()
    } catch (error) {
      throw this.#failed(error, false)
    }
  }

  /**
   * Runs some work in a transaction, with the lock of the file. If the work or the commit fails, nothing of it is kept.
   *
   * @param patience the longest wait for the lock in milliseconds, during which the event loop stands still
   * @throws StoreError, or what the work throws
   */
  transaction<T>(work: () => T, patience: number = this.#parts.lockTimeout): T {
    let isOpen = false
    let isCommitting = false
    try {
      if (this.#begin === undefined) this.#open(patience)
      this.#moved.check()
      const begin = this.#begin as Statement
      whenFree(() => begin.run(), patience)
      isOpen = true
      const result = work()
      isCommitting = true
      this.prepare('commit').run()
      return result
    } catch (error) {
      if (isOpen) this.#rollBack()
      throw this.#failed(error, isCommitting)
    }
  }

  #rollBack(): void {
    try {
      this.prepare('rollback').run()
    } catch {
      // SQLite has rolled back by itself.
    }
  }

  #failed(error: unknown, isCommitting: boolean): unknown {
    // The store's own errors, such as that of a counter that cannot be read, name the failure. Nothing was kept.
    if ((error as { failure?: unknown } | undefined)?.failure !== undefined)
      return Object.assign(error as object, { unsent: true })
    // A table may have been dropped. The next call makes it again.
    if (codeOf(error) === 'SQLITE_ERROR') {
      this.#begin = undefined
      this.#statements.clear()
    }
    return toStoreError(error, isCommitting)
  }

  #open(patience: number): void {
    whenFree(() => {
      // The change to the log needs the file alone.
      this.#run('pragma journal_mode = wal')
      this.#run(`pragma synchronous = ${SYNCHRONOUS[this.#parts.durability]}`)
      this.#run(`pragma journal_size_limit = ${LOG_BYTES}`)
      if (!this.#hasTables()) this.#makeTables()
    }, patience)
    this.#begin = this.prepare('begin immediate')
    this.#moved.remember()
    const mode = this.pragma('journal_mode')
    if (mode !== 'wal') this.#parts.warn(withoutLog(mode))
  }

  #hasTables(): boolean {
    const names = Object.values(this.tables)
    const select = this.prepare(
      `select count(*) as n from sqlite_master where type = 'table' and name in (?, ?, ?)`,
    )
    return Number(columnOf(select.get(...names), 'n')) === names.length
  }

  /** Makes all tables or none, so that no other store takes one for the table of an application. */
  #makeTables(): void {
    const { counters, documents, processes } = this.tables
    // No index over expires_at: it would cost each charge a write, and the sweep goes by the keys.
    this.#run('begin immediate')
    try {
      this.#run(`create table if not exists ${counters}
        (key text primary key, state text not null, expires_at integer not null) without rowid`)
      this.#run(`create table if not exists ${documents}
        (name text primary key, version text not null, text text not null) without rowid`)
      this.#run(`create table if not exists ${processes}
        (role text, id text, seen_at integer not null, primary key (role, id)) without rowid`)
      this.#run('commit')
    } catch (error) {
      this.#rollBack()
      throw error
    }
  }

  #run(text: string): void {
    this.#parts.database.exec(text)
  }
}

/** The warning of a file that is not written by way of a log, as on a network disk. */
export function withoutLog(mode: unknown): HaltWarning {
  return {
    code: 'HALT_W_STORE_MISCONFIGURED',
    message: `The journal mode of the SQLite file is "${String(mode)}" and not "wal", so each check waits for the disk.`,
    fix: 'Put the file on a disk of this machine. Machines cannot share it by a network file system.',
  }
}
