import { counterParts, shareCodes } from '@halt/core/counters'

import { Table } from './table.ts'
import { Tables } from './tables.ts'
import { TABLE_BYTES, type Tally } from './tally.ts'

/** The longest name of a subject, in characters. The store keeps longer names as digests. */
export const LONGEST_NAME = 256
// One per policy, and per route of a policy that counts by route. Idempotency keys have one each, so the map is small.
const MOST_REMEMBERED = 256

/** Says in which table the subjects of a counter are. */
export interface CounterTable {
  readonly counter: string
  readonly table: Table
  /** The end of each subject's name in the table. Empty if the counter has the table for itself. */
  readonly detail: string
}

// No counter has an empty name.
const NOWHERE = { counter: '' } as CounterTable

// So many tables leave one to each new route, so that no text is joined. The counters of later routes share a table per policy.
const FEW_TABLES = 64
// The codes of the counters of idempotency keys and of tenants' shares. There are many, and each has one subject.
const MANY: ReadonlySet<string> = new Set(['i', ...Object.values(shareCodes)])

// Such a counter has a table for itself. The name of each subject is then used as it is, and not joined with a detail.
const PARTS: ReadonlySet<string> = new Set(Object.values(counterParts))

/** The tables of a store, and the table of each counter. */
export class CounterTables {
  readonly tables: Tables = new Tables()
  readonly #tally: Tally
  readonly #known = new Map<string, CounterTable>()
  // The tables that were made lately. A look at a counter that does not exist makes one that stays empty.
  readonly #made: Table[] = []
  // The last counter that was looked up, because a check reads and then keeps the same one.
  #last: CounterTable = NOWHERE

  constructor(tally: Tally) {
    this.#tally = tally
  }

  /** The table of a counter. Makes its table if there is none. */
  find(counter: string): CounterTable {
    if (counter === this.#last.counter) return this.#last
    let found = this.#known.get(counter)
    if (found === undefined) {
      if (this.#made.length >= MOST_REMEMBERED) this.#forgetEmpty()
      found = this.#make(counter)
      if (this.#known.size >= MOST_REMEMBERED) this.#known.clear()
      if (counter.length <= LONGEST_NAME) this.#known.set(counter, found)
    }
    return (this.#last = found)
  }

  /** Removes a table that has no counters. */
  forget(table: Table): void {
    this.tables.remove(table)
    this.#tally.bytes -= TABLE_BYTES
    this.#forgetKnown()
  }

  /** Removes all tables. */
  clear(): void {
    this.tables.clear()
    this.#made.length = 0
    this.#forgetKnown()
  }

  /**
   * The table of a counter `{name}:{code}`. The counters `{name}@{route}:{code}` of routes have a table each, or share one, in which
   * the route is part of each subject's name.
   */
  #make(counter: string): CounterTable {
    const end = counter.lastIndexOf(':')
    const code = counter.slice(end + 1)
    const at = counter.indexOf('@')
    const own = this.tables.get(counter)
    if (own !== undefined) return { counter, table: own, detail: '' }
    if (at < 0 || PARTS.has(counter.slice(at + 1, end)))
      return { counter, table: this.#add(counter, code), detail: '' }
    const name = counter.slice(0, at + 1) + counter.slice(end)
    let shared = this.tables.get(name)
    // A counter without a table of its own may be in the shared one. So a route gets its own only while there is none to share.
    if (shared === undefined && !MANY.has(code) && this.tables.size < FEW_TABLES)
      return { counter, table: this.#add(counter, code), detail: '' }
    shared ??= this.#add(name, code)
    return { counter, table: shared, detail: ` ${counter.slice(at + 1, end)}` }
  }

  #add(name: string, code: string): Table {
    const table = new Table(name, code, this.#tally)
    this.tables.add(table)
    this.#made.push(table)
    return table
  }

  #forgetEmpty(): void {
    for (const table of this.#made)
      if (table.size === 0 && this.tables.get(table.name) === table) this.forget(table)
    this.#made.length = 0
  }

  #forgetKnown(): void {
    this.#known.clear()
    this.#last = NOWHERE
  }
}
