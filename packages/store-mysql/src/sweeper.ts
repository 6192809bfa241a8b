import type { Connections } from './connections.ts'
import { affectedBy, rowsOf, type Table } from './table.ts'

// A sweep visits four times as many rows as have been made since the last, so that the table stays near the counters that count.
const VISITED = 256
const MADE = 64
// After so many transactions a sweep comes although few rows were made: a table that does not grow shrinks slowly.
const TRANSACTIONS = 1_024
const MANY = 1_000

/** Removes the rows that may go, in the order of the keys and a few at a time. It needs no timer, and waits for no lock. */
export class Sweeper {
  readonly #connections: Connections
  readonly #table: Table
  /** The name of the row behind which the next sweep begins; empty at the start of the table. */
  #after = ''
  #made = 0
  #transactions = 0
  #isBusy = false

  constructor(connections: Connections, table: Table) {
    this.#connections = connections
    this.#table = table
  }

  /** Notes a transaction and the rows that it made, and sweeps if it is time. A sweep that fails is made again with the next rows. */
  passed(made: number): void {
    this.#made += made
    this.#transactions++
    if (this.#isBusy || (this.#made < MADE && this.#transactions < TRANSACTIONS)) return
    this.#made = this.#transactions = 0
    this.#isBusy = true
    const done = (): void => void (this.#isBusy = false)
    this.#sweepNext().then(done, done)
  }

  /** Sweeps the whole table. Resolves to the number of rows removed. */
  async sweepAll(): Promise<number> {
    let [after, removed] = ['', 0]
    do {
      const swept = await this.#sweep(after, MANY)
      removed += swept.removed
      after = swept.after
    } while (after !== '')
    return removed
  }

  async #sweepNext(): Promise<void> {
    this.#after = (await this.#sweep(this.#after, VISITED)).after
  }

  async #sweep(after: string, most: number): Promise<{ readonly after: string; readonly removed: number }> {
    const table = this.#table
    const rows = rowsOf(await this.#connections.run(table.scan(after, most)))
    const over = rows.filter(([, isOver]) => Number(isOver) === 1).map(([name]) => String(name))
    const removed = over.length === 0 ? 0 : await this.#remove(over)
    return { after: rows.length < most ? '' : String(rows.at(-1)?.[0]), removed }
  }

  /** Locks the rows first, and no row that a check has: a delete that waits for one would wait in the order of the table. */
  #remove(over: readonly string[]): Promise<number> {
    return this.#connections.transaction(async (session, begin) => {
      begin()
      const free = rowsOf(await session.run(this.#table.lockOver(over))).map(([name]) => String(name))
      return free.length === 0 ? 0 : affectedBy(await session.run(this.#table.removeOver(free)))
    })
  }
}
