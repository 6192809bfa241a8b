import { HaltError, type Warn } from '@halt/core'

import { queryOf, type QuerySource } from './query.ts'

/** Options of {@link PostgresStore}. */
export interface PostgresStoreOptions {
  /** A pool of pg, the `sql` of postgres.js, a PGlite, or any function `(text, params) => Promise<rows>`. */
  readonly query: QuerySource
  /** The PostgreSQL schema of the tables and functions. Default `"halt"`. */
  readonly schema?: string | undefined
  /** The start of every key, so that several applications can share one schema. Default `""`. */
  readonly prefix?: string | undefined
  /**
   * A clock in Unix milliseconds, for tests. Default: the server's clock. Such a store never sweeps; give it a schema of its own,
   * because a sweep goes by the server's clock.
   */
  readonly clock?: (() => number) | undefined
  /** Called once per warning code. Default `process.emitWarning`. */
  readonly warn?: Warn | undefined
}

const KNOWN = ['query', 'schema', 'prefix', 'clock', 'warn']

/**
 * Checks the options.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`
 */
export function checkOptions(options: PostgresStoreOptions): void {
  const fields = (options ?? {}) as unknown as Record<string, unknown>
  if (typeof options !== 'object' || options === null)
    fail('PostgresStore got no options.', 'Give new PostgresStore({ query: pool }).')
  if (queryOf(fields['query']) === undefined)
    fail(
      'query is not a function, and has no method query or unsafe.',
      'Give a pool of pg, the sql of postgres.js, a PGlite, or (text, params) => pool.query(text, params).',
    )
  const unknown = Object.keys(fields).find(name => !KNOWN.includes(name) && fields[name] !== undefined)
  if (unknown !== undefined)
    fail(`PostgresStore has no option "${unknown}".`, `Its options are ${KNOWN.join(', ')}.`)
  const { schema, prefix, clock } = options
  if (schema !== undefined) checkSchemaName(schema)
  if (prefix !== undefined && !(typeof prefix === 'string' && /^[\w.:-]{0,64}$/.test(prefix)))
    fail(
      'prefix is not a text of at most 64 letters, digits and "_", ".", ":", "-".',
      'Give a prefix such as "shop:".',
    )
  if (clock !== undefined && typeof clock !== 'function')
    fail('clock is not a function.', 'Give a function that returns Unix milliseconds, or leave it out.')
}

/**
 * Checks the name of a PostgreSQL schema. The statements quote it, so that it may be a reserved word. A name in capitals is refused,
 * because elsewhere users would have to quote it, too.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`
 */
export function checkSchemaName(name: unknown): void {
  if (typeof name === 'string' && /^[a-z_][a-z0-9_]{0,62}$/.test(name) && !name.startsWith('pg_')) return
  fail(
    'schema is not a name of at most 63 lower-case letters, digits and "_".',
    'Give a name such as "halt".',
  )
}

function fail(message: string, fix: string): never {
  throw new HaltError('HALT_E_STORE_OPTION', message, fix)
}
