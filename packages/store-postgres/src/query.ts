import { unexpectedReply } from './store-error.ts'

/**
 * Runs one statement with parameters `$1`, `$2`, …. Each parameter is a text or null. Resolves to the rows, or to an object that
 * holds them as `rows`. It must not run inside a transaction of the application.
 */
export type Query = (text: string, params: (string | null)[]) => Promise<unknown>

/** A {@link Query}, or the client whose query it is: a pool or a client of pg, a PGlite, or the `sql` of postgres.js. */
export type QuerySource =
  | Query
  | { query(text: string, params: (string | null)[]): Promise<unknown> }
  | { unsafe(text: string, params: (string | null)[]): PromiseLike<unknown> }

/** Finds the query of a client. Undefined if it has none. */
export function queryOf(source: unknown): Query | undefined {
  if ((typeof source !== 'object' && typeof source !== 'function') || source === null) return undefined
  const client = source as { unsafe?: unknown; query?: unknown }
  // The `sql` of postgres.js is a function too, so this comes first.
  if (typeof client.unsafe === 'function') {
    const sql = source as { unsafe(text: string, params: (string | null)[]): PromiseLike<unknown> }
    return async (text, params) => sql.unsafe(text, params)
  }
  if (typeof client.query === 'function') {
    const pool = source as { query(text: string, params: (string | null)[]): Promise<unknown> }
    return async (text, params) => pool.query(text, params)
  }
  return typeof source === 'function' ? async (text, params) => (source as Query)(text, params) : undefined
}

/** The rows of a result. A result without rows is an error. */
export function rowsOf(result: unknown): readonly Readonly<Record<string, unknown>>[] {
  const rows: unknown = Array.isArray(result) ? result : (result as { rows?: unknown } | undefined)?.rows
  if (Array.isArray(rows) && rows.every(row => typeof row === 'object' && row !== null))
    return rows as Record<string, unknown>[]
  throw unexpectedReply(result)
}
