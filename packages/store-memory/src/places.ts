import { counterParts, shareCodes } from '@halt/core/counters'

import { Table } from './table.ts'
import { Tables } from './tables.ts'
import { TABLE_BYTES, type Tally } from './tally.ts'

/** The longest name of a subject, in characters. The store keeps longer names as digests. */
export const LONGEST_NAME = 256
// One per policy, and per route of a policy that counts by route. Idempotency keys have one each, so the map is small.
const MOST_PLACES = 256

/** Says where a counter's subjects are. */
export interface Place {
  readonly counter: string
  readonly table: Table
  /** The end of each subject's name in the table. Empty if the counter has the table for itself. */
  readonly detail: string
}

// No counter has an empty name.
const NOWHERE = { counter: '' } as Place

// So many tables leave one to each new route, so that no text is joined. The counters of later routes share a table per policy.
const FEW_TABLES = 64
// The codes of the counters of idempotency keys and of tenants' shares. There are many, and each has one subject.
const MANY: ReadonlySet<string> = new Set(['i', ...Object.values(shareCodes)])

// Such a counter has a table for itself. The name of each subject is then used as it is, and not joined with a detail.
const PARTS: ReadonlySet<string> = new Set(Object.values(counterParts))

/** The tables of a store, and the places of its counters in them. */
export class Places {
  readonly tables: Tables = new Tables()
  readonly #tally: Tally
  readonly #places = new Map<string, Place>()
  // The tables that were made lately. A look at a counter that does not exist makes one that stays empty.
  readonly #made: Table[] = []
  // The last counter that was looked up, because a check reads and then keeps the same one.
  #last: Place = NOWHERE

  constructor(tally: Tally) {
    this.#tally = tally
  }

  /** The place of a counter. Makes its table if there is none. */
  find(counter: string): Place {
    if (counter === this.#last.counter) return this.#last
    let place = this.#places.get(counter)
    if (place === undefined) {
      if (this.#made.length >= MOST_PLACES) this.#forgetEmpty()
      place = this.#make(counter)
      if (this.#places.size >= MOST_PLACES) this.#places.clear()
      if (counter.length <= LONGEST_NAME) this.#places.set(counter, place)
    }
    return (this.#last = place)
  }

  /** Removes a table that has no counters. */
  forget(table: Table): void {
    this.tables.remove(table)
    this.#tally.bytes -= TABLE_BYTES
    this.#forgetPlaces()
  }

  /** Removes all tables. */
  clear(): void {
    this.tables.clear()
    this.#made.length = 0
    this.#forgetPlaces()
  }

  /**
   * The place of a counter `{name}:{code}`. The counters `{name}@{route}:{code}` of routes have a table each, or share one, in which
   * the route is part of each subject's name.
   */
  #make(counter: string): Place {
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

  #forgetPlaces(): void {
    this.#places.clear()
    this.#last = NOWHERE
  }
}
