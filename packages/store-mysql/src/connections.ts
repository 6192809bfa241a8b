import { inDoubt } from '@halt/core/store'

import { type PooledConnection, type PromisePool, promisePoolOf, type PoolSource } from './pool.ts'
import { driverConnection, Session } from './session.ts'
import { DEADLOCK, toStoreError } from './store-error.ts'

/** Work in a transaction, which begins with the first call of `begin`. */
export type Work<T> = (session: Session, begin: () => void) => Promise<T>

// The server may end a transaction because of a deadlock. The store makes it at most so many times.
const ATTEMPTS = 3

/** The connections of a pool, and what runs on them. */
export class Connections {
  readonly #pool: PromisePool
  /** Those whose session is set up. */
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
    return this.#borrow(session => session.run(sql))
  }

  /**
   * Runs work in a transaction. Work that only reads need not begin one.
   *
   * @throws StoreError without a `reply` if the commit may have been made
   */
  async transaction<T>(work: Work<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#borrow(session => inTransaction(session, work))
      } catch (error) {
        if ((error as { reply?: unknown }).reply !== DEADLOCK || attempt === ATTEMPTS) throw error
      }
    }
  }

  /**
   * Lends a connection, and takes it back. Closes it if a transaction may be open after an error.
   *
   * @throws StoreError
   */
  async #borrow<T>(work: (session: Session) => Promise<T>): Promise<T> {
    this.#open++
    let connection: PooledConnection | undefined
    try {
      connection = await this.#pool.getConnection()
      const session = new Session(connection)
      const own = driverConnection(connection)
      if (!this.#ready.has(own)) await setUp(session)
      this.#ready.add(own)
      const result = await work(session)
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
}

async function setUp(session: Session): Promise<void> {
  // Without locks of gaps, transactions that make new rows do not wait for each other. The default wait is 50 seconds.
  session.later('set session transaction isolation level read committed')
  await session.run('set session innodb_lock_wait_timeout = 1')
}

async function inTransaction<T>(session: Session, work: Work<T>): Promise<T> {
  let hasBegun = false
  const result = await work(session, () => {
    hasBegun = true
    session.later('start transaction')
  })
  if (!hasBegun) return result
  try {
    await session.flush()
  } catch (error) {
    // The server keeps nothing of a transaction whose commit it never got.
    throw Object.assign(toStoreError(error), { unsent: true })
  }
  try {
    await session.run('commit')
  } catch (error) {
    const failed = toStoreError(error)
    // A deadlock is certain: Galera tells of it here, and a pool with multipleStatements has written with the commit.
    throw failed.reply === DEADLOCK ? failed : inDoubt(failed)
  }
  return result
}

/** Ends the transaction and gives the connection back, if the server has replied. Closes the connection otherwise. */
async function giveBack(connection: PooledConnection | undefined, hasReplied: boolean): Promise<void> {
  if (connection === undefined) return
  if (!hasReplied) return connection.destroy()
  try {
    await new Session(connection).run('rollback')
    connection.release()
  } catch {
    connection.destroy()
  }
}
