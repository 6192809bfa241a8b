import type { Statements } from './statements.ts'

// A check makes three rows or fewer, and sixty fill a page. So this visits many times more pages than checks can fill.
const CHECKS = 64
const PAGES = 32
// The pages of one statement of a whole sweep, which takes some 10 ms.
const MANY_PAGES = 256

/** Chooses when a check sweeps, and which pages. It needs no timer. */
export class Sweeper {
  readonly #statements: Statements
  #checks = 0
  // Processes start at different pages.
  #page = Math.floor(Math.random() * 2 ** 30)

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** The page at which a call of so many checks starts to sweep; -1 if it need not sweep. */
  pageFor(checks: number): number {
    this.#checks += checks
    if (this.#checks < CHECKS) return -1
    this.#checks = 0
    this.#page = (this.#page + PAGES) % 2 ** 40
    return this.#page
  }

  /** Sweeps every page. Resolves to the number of counters removed. */
  async sweepAll(): Promise<number> {
    const pages = await this.#statements.count('pages')
    let removed = 0
    for (let page = 0; page < pages; page += MANY_PAGES)
      removed += await this.#statements.count('sweep', `${page}`, `${MANY_PAGES}`)
    return removed
  }
}
