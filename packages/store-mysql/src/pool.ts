/** One statement, and how mysql2 shall run it whatever the settings of the pool. */
export interface Statement {
  readonly sql: string
  readonly rowsAsArray: true
  readonly typeCast: true
  readonly nestTables: false
  /** Milliseconds. */
  readonly timeout: number
}

/** A connection of a pool. */
export interface PooledConnection {
  query(statement: Statement): Promise<readonly [unknown, ...unknown[]]>
  release(): void
  destroy(): void
}

/** A pool of `mysql2/promise`. */
export interface PromisePool {
  getConnection(): Promise<PooledConnection>
}

/** A pool of `mysql2/promise`, or of `mysql2`, which has callbacks, as the `$client` of Drizzle. */
export type PoolSource = PromisePool | { promise(): PromisePool }

/** Whether a value is a pool of mysql2. */
export function isPool(value: unknown): value is PoolSource {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  return typeof (value as { getConnection?: unknown }).getConnection === 'function'
}

/** The pool with promises of any pool of mysql2. */
export function promisePoolOf(source: PoolSource): PromisePool {
  return 'promise' in source && typeof source.promise === 'function'
    ? source.promise()
    : (source as PromisePool)
}
