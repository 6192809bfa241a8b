import { counterParts, shareCodes } from '@halt/core/counters'
import { Table } from './table.ts'
import { TABLE_BYTES, type Tally } from './tally.ts'

/**
 * The tables of a store, by name and in endless turn.
 *
 * The turn is an index, not an iterator: V8 keeps each former hash table of a map for as long as an iterator stands in it, so an
 * iterator that nobody moves grows with every table that comes and goes.
 */
export class Tables {
  readonly #byName = new Map<string, Table>()
  readonly #list: Table[] = []
  #turn = 0

  get size(): number {
    return this.#list.length
  }

  /** All tables, in no order that means anything. */
  get all(): readonly Table[] {
    return this.#list
  }

  get(name: string): Table | undefined {
    return this.#byName.get(name)
  }

  add(table: Table): void {
    this.#byName.set(table.name, table)
    table.index = this.#list.push(table) - 1
  }

  /** Removes a table that is here. The last one takes its index. */
  remove(table: Table): void {
    this.#byName.delete(table.name)
    const last = this.#list.pop()!
    if (last === table) return
    this.#list[table.index] = last
    last.index = table.index
  }

  /** The table whose turn it is. There must be one. */
  get current(): Table {
    if (this.#turn >= this.#list.length) this.#turn = 0
    return this.#list[this.#turn]!
  }

  /** The next table, in endless turn. There must be one. */
  next(): Table {
    this.#turn++
    return this.current
  }

  clear(): void {
    this.#byName.clear()
    this.#list.length = 0
  }
}

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
