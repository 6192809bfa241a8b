import { setImmediate as nextTurn } from 'node:timers/promises'

import type { Connection } from './connection.ts'
import { columnOf } from './handle.ts'
import { inLaterTurns } from './lock.ts'

// A check makes some three rows, so a stretch of rows each 64th check visits the table faster than it grows.
const CHECKS = 64
const ROWS = 256
// The rows of one transaction of a whole sweep, which takes about a millisecond.
const MANY_ROWS = 1_000
const PATIENCE_MS = 1_000

/** How long an ended counter stays, in milliseconds, so that a clock that is set back by less ends no counter early. */
const GRACE_MS = 60_000

/** Removes counters that have ended, stretch by stretch in the order of their keys. It needs no timer and no index. */
export class Sweeper {
  readonly #connection: Connection
  readonly #next: string
  readonly #removeTo: string
  readonly #removeRest: string
  #checks = 0
  #cursor = ''

  constructor(connection: Connection) {
    this.#connection = connection
    const { counters } = connection.tables
    this.#next = `select key from ${counters} where key > ? order by key limit 1 offset ?`
    this.#removeTo = `delete from ${counters} where key > ? and key <= ? and expires_at <= ?`
    this.#removeRest = `delete from ${counters} where key > ? and expires_at <= ?`
  }

  /**
   * Counts the checks of a transaction, and sweeps one stretch in it when it is time.
   *
   * @param now Unix milliseconds
   */
  passing(checks: number, now: number): void {
    this.#checks += checks
    if (this.#checks < CHECKS) return
    this.#checks = 0
    this.#cursor = this.#stretch(this.#cursor, ROWS, now - GRACE_MS).cursor
  }

  /** Sweeps the whole table in short transactions, a turn of the event loop apart. Resolves to the number of rows removed. */
  async sweepAll(now: () => number): Promise<number> {
    let removed = 0
    let cursor = ''
    do {
      const stretch = (): { cursor: string; removed: number } =>
        this.#connection.transaction(() => this.#stretch(cursor, MANY_ROWS, now()), 0)
      const done = await inLaterTurns(stretch, PATIENCE_MS)
      removed += done.removed
      cursor = done.cursor
      await nextTurn()
    } while (cursor !== '')
    return removed
  }

  /** Removes the rows of a stretch that had ended at an instant. Returns where the next stretch begins: '' is the start of the table. */
  #stretch(cursor: string, rows: number, endedAt: number): { cursor: string; removed: number } {
    const last = columnOf(this.#connection.prepare(this.#next).get(cursor, rows - 1), 'key')
    const { changes } =
      typeof last === 'string'
        ? this.#connection.prepare(this.#removeTo).run(cursor, last, Math.floor(endedAt))
        : this.#connection.prepare(this.#removeRest).run(cursor, Math.floor(endedAt))
    return { cursor: typeof last === 'string' ? last : '', removed: Number(changes) }
  }
}
