import { HaltError, type Warn } from '@halt/core'

import { isPool, type PoolSource } from './pool.ts'

/** Options of {@link MysqlStore}. */
export interface MysqlStoreOptions {
  /**
   * A pool of mysql2, of `mysql2` or `mysql2/promise`. Give the store one of its own: it sets variables of the sessions. With
   * `multipleStatements: true` a check takes two round trips instead of five.
   */
  readonly pool: PoolSource
  /** The name of the table. Applications that share a database each have their own. Default `"halt_counters"`. */
  readonly table?: string | undefined
  /** A clock in Unix milliseconds, for tests. Default: the server's clock. A store with a clock never sweeps by itself. */
  readonly clock?: (() => number) | undefined
  /** Called once per warning code. Default `process.emitWarning`. */
  readonly warn?: Warn | undefined
}

const KNOWN = ['pool', 'table', 'clock', 'warn']
const HOW = 'Give a pool: mysql.createPool({ uri, connectionLimit: 4 }) of mysql2.'

/**
 * Checks the options.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`
 */
export function checkOptions(options: MysqlStoreOptions): void {
  const fields = (options ?? {}) as unknown as Record<string, unknown>
  if (typeof options !== 'object' || options === null)
    fail('MysqlStore got no options.', 'Give new MysqlStore({ pool }).')
  const { pool, table, clock } = fields
  if (typeof pool === 'string') fail('pool is a text.', HOW)
  if (!isPool(pool)) fail('pool has no method getConnection.', HOW)
  const unknown = Object.keys(fields).find(name => !KNOWN.includes(name) && fields[name] !== undefined)
  if (unknown !== undefined)
    fail(`MysqlStore has no option "${unknown}".`, `Its options are ${KNOWN.join(', ')}.`)
  if (table !== undefined && !(typeof table === 'string' && /^[A-Za-z_]\w{0,63}$/.test(table)))
    fail(
      'table is not a name of at most 64 letters, digits and "_".',
      'Give a name such as "halt_counters"; the pool chooses the database.',
    )
  if (clock !== undefined && typeof clock !== 'function')
    fail('clock is not a function.', 'Give a function that returns Unix milliseconds, or leave it out.')
}

function fail(message: string, fix: string): never {
  throw new HaltError('HALT_E_STORE_OPTION', message, fix)
}
