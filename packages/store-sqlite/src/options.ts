import { HaltError, type Warn } from '@halt/core'

import { checkDatabase, type SqliteDatabase } from './handle.ts'

/**
 * The failures that a charge survives.
 *
 * - `process`: the end of the process, `kill -9` too. A loss of power may take the charges of the last moments.
 * - `power`: a loss of power too. The disk writes before each answer; checks of one turn of the event loop share that wait.
 * - `none`: the end of the process. A loss of power may damage the file.
 */
export type Durability = 'process' | 'power' | 'none'

/** Options of {@link SqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * An open database of better-sqlite3, `node:sqlite` (`DatabaseSync`), `bun:sqlite` or libsql. The connection and the file must be the
   * store's own.
   */
  readonly database: SqliteDatabase
  /** The failures that a charge survives. Default `"process"`. */
  readonly durability?: Durability | undefined
  /**
   * The longest that a check waits while another process holds the lock of the file, 0 to 1000 milliseconds. The event loop stands still
   * meanwhile. Default 50. With the durability `power` it goes on, and a check waits for as long as `storeTimeout` of the limiter.
   */
  readonly lockTimeout?: number | undefined
  /** The start of the names of the tables, so that several applications can share one file. Default `"halt_"`. */
  readonly prefix?: string | undefined
  /** A clock in Unix milliseconds, for tests. Default: the system's, which all processes of a machine share. */
  readonly clock?: (() => number) | undefined
  /** Called once per warning code. Default `process.emitWarning`. */
  readonly warn?: Warn | undefined
}

const KNOWN = ['database', 'durability', 'lockTimeout', 'prefix', 'clock', 'warn']
const MOST_MS = 1_000

/**
 * Checks the options. Returns the path of the database's file.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`, or `HALT_E_STORE_CORRUPT` if the file is not a database
 */
export function checkOptions(options: SqliteStoreOptions): string {
  if (typeof options !== 'object' || options === null)
    fail('SqliteStore got no options.', "Give new SqliteStore({ database: new Database('limits.db') }).")
  const fields = options as unknown as Readonly<Record<string, unknown>>
  const unknown = Object.keys(fields).find(name => !KNOWN.includes(name) && fields[name] !== undefined)
  if (unknown !== undefined)
    fail(`SqliteStore has no option "${unknown}".`, `Its options are ${KNOWN.join(', ')}.`)
  const { durability = 'process', lockTimeout = 0, prefix = '', clock, warn } = options
  if (!['process', 'power', 'none'].includes(durability))
    fail(
      `durability is ${JSON.stringify(durability) ?? typeof durability}.`,
      'Give "process", "power" or "none".',
    )
  if (!(typeof lockTimeout === 'number' && lockTimeout >= 0 && lockTimeout <= MOST_MS))
    fail(
      `lockTimeout is ${String(lockTimeout)} (${typeof lockTimeout}).`,
      `Give 0 to ${MOST_MS} milliseconds. The event loop stands still while a check waits.`,
    )
  if (!(typeof prefix === 'string' && /^(?:[A-Za-z]\w{0,31})?$/.test(prefix)))
    fail(
      'prefix is not a text of at most 32 letters, digits and "_" that begins with a letter.',
      'Give a prefix such as "shop_".',
    )
  if (clock !== undefined && typeof clock !== 'function')
    fail('clock is not a function.', 'Give a function that returns Unix milliseconds, or leave it out.')
  if (warn !== undefined && typeof warn !== 'function')
    fail('warn is not a function.', 'Give a function that takes a warning, or leave it out.')
  return checkDatabase(fields['database'])
}

function fail(message: string, fix: string): never {
  throw new HaltError('HALT_E_STORE_OPTION', message, fix)
}
