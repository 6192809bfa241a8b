import { fromCaller } from '@halt/core'

import { checkSchemaName } from './options.ts'
import { SCHEMA } from './schema-text.ts'

/** Options of {@link schema}. */
export interface SchemaOptions {
  /** The name of the PostgreSQL schema. Default `"halt"`. */
  readonly schema?: string | undefined
  /**
   * Whether the counters are kept in an unlogged table. Checks then write no log, but a crash of the server empties the counters,
   * and a replica that takes over starts without them. Default false.
   */
  readonly unlogged?: boolean | undefined
}

/**
 * The statements that make the tables and functions of the store. They can run again at any time, and keep all counters.
 *
 * @throws HaltError `HALT_E_STORE_OPTION`
 * @example
 * await pool.query(schema())
 */
export function schema(options: SchemaOptions = {}): string {
  const { schema: name = 'halt', unlogged = false } = options
  fromCaller(schema, () => checkSchemaName(name))
  const text = unlogged ? SCHEMA.replace('CREATE TABLE IF NOT EXISTS halt.counters', UNLOGGED) : SCHEMA
  return inSchema(text, name)
}

const UNLOGGED = 'CREATE UNLOGGED TABLE IF NOT EXISTS halt.counters'

/** Puts the name of a schema in place of `halt` in statements. */
export function inSchema(text: string, name: string): string {
  if (name === 'halt') return text
  // Quotes make a reserved word, such as `user`, a name; they change no other one.
  const quoted = `"${name}"`
  return text
    .replaceAll(/\bhalt\./g, `${quoted}.`)
    .replace('SCHEMA IF NOT EXISTS halt;', `SCHEMA IF NOT EXISTS ${quoted};`)
}
