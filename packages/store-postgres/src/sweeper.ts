import type { Statements } from './statements.ts'

// A check makes some three rows, and fifty fill a page. A sweep after so many checks visits 32 pages (sql/decide.sql), many times
// more than these checks can fill.
const CHECKS = 64
// The pages of one statement of a whole sweep, which takes some 10 ms.
const MANY_PAGES = 256

/** Chooses when a check sweeps, and which pages of the table. It needs no timer. */
export class Sweeper {
  readonly #statements: Statements
  #checks = 0
  // Processes start at different stretches.
  #stretch = Math.floor(Math.random() * 2 ** 30)

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** The stretch of pages that a call of so many checks sweeps; -1 if it need not sweep. */
  stretchFor(checks: number): number {
    this.#checks += checks
    if (this.#checks < CHECKS) return -1
    this.#checks = 0
    return this.#stretch++
  }

  /** Sweeps every page. Resolves to the number of counters removed. */
  async sweepAll(): Promise<number> {
    const pages = await this.#statements.count('pages')
    let removed = 0
    for (let stretch = 0; stretch * MANY_PAGES < pages; stretch++)
      removed += await this.#statements.count('sweep', `${stretch}`, `${MANY_PAGES}`)
    return removed
  }
}
