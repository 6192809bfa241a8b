import { inDoubt } from '@halt/core/store'

import { type PooledConnection, type PromisePool, promisePoolOf, type PoolSource } from './pool.ts'
import { DEADLOCK, toStoreError } from './store-error.ts'

/** Runs one statement. Resolves to its rows, each a list, or to the header of its result. */
export type Run = (sql: string) => Promise<unknown>

// Above the second for which a statement waits for a lock. Without it a server that hangs keeps its connections for ever.
const STATEMENT_MS = 3_000
// How often a transaction is made that the server ends because of a deadlock.
const ATTEMPTS = 3

/** The connections of a pool, and what runs on them. */
export class Connections {
  readonly #pool: PromisePool
  /** Those whose session is set up. The pool gives a new wrapper of the same connection each time. */
  readonly #ready = new WeakSet<object>()
  #open = 0

  constructor(source: PoolSource) {
    this.#pool = promisePoolOf(source)
  }

  /** Whether nothing is on its way. */
  get isIdle(): boolean {
    return this.#open === 0
  }

  /** Runs one statement that commits by itself. */
  run(sql: string): Promise<unknown> {
    return this.borrow(run => run(sql))
  }

  /**
   * Runs work in a transaction. It begins with the first call of `begin`, so work that only reads may do without.
   *
   * @throws StoreError without a `reply` if the commit may have been made
   */
  async transaction<T>(work: (run: Run, begin: () => Promise<void>) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.borrow(run => inTransaction(run, work))
      } catch (error) {
        if ((error as { reply?: unknown }).reply !== DEADLOCK || attempt === ATTEMPTS) throw error
      }
    }
  }

  /**
   * Lends a connection, and takes it back. One after whose error a transaction may be open is closed.
   *
   * @throws StoreError
   */
  async borrow<T>(work: (run: Run) => Promise<T>): Promise<T> {
    this.#open++
    let connection: PooledConnection | undefined
    try {
      connection = await this.#pool.getConnection()
      const run = runOn(connection)
      await this.#setUp(connection, run)
      const result = await work(run)
      connection.release()
      return result
    } catch (error) {
      const failed = toStoreError(error)
      await giveBack(connection, failed.reply !== undefined)
      throw failed
    } finally {
      this.#open--
    }
  }

  async #setUp(connection: PooledConnection, run: Run): Promise<void> {
    const own = (connection as { connection?: object }).connection ?? connection
    if (this.#ready.has(own)) return
    // Without locks of gaps, transactions that make new rows do not wait for each other. The default wait is 50 seconds.
    await run('set session transaction isolation level read committed')
    await run('set session innodb_lock_wait_timeout = 1')
    this.#ready.add(own)
  }
}

async function inTransaction<T>(
  run: Run,
  work: (run: Run, begin: () => Promise<void>) => Promise<T>,
): Promise<T> {
  let hasBegun = false
  const result = await work(run, async () => {
    await run('start transaction')
    hasBegun = true
  })
  if (!hasBegun) return result
  try {
    await run('commit')
  } catch (error) {
    throw inDoubt(toStoreError(error))
  }
  return result
}

function runOn(connection: PooledConnection): Run {
  return async sql => {
    const [result] = await connection.query({
      sql,
      rowsAsArray: true,
      typeCast: true,
      nestTables: false,
      timeout: STATEMENT_MS,
    })
    return result
  }
}

/** Gives a connection back to the pool, if the server has replied and ends the transaction. Closes it otherwise. */
async function giveBack(connection: PooledConnection | undefined, hasReplied: boolean): Promise<void> {
  if (connection === undefined) return
  if (!hasReplied) return connection.destroy()
  try {
    await runOn(connection)('rollback')
    connection.release()
  } catch {
    connection.destroy()
  }
}
