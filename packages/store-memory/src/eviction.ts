import type { Table } from './table.ts'
import type { Tables } from './counter-tables.ts'
import type { Tally } from './tally.ts'

// Steps of the hand per new key. Two meet every expired key before twice as many new ones have come.
const SWEEP = 2
// How long a counter that equals a fresh one is kept while the store is small, in microseconds. A client below its rate comes
// back, and its counter is then found, instead of deleted and inserted again.
const KEPT = 1e6
// Up to so many counters a store is small, or up to this share of its caps. With a name of 20 characters they take 13 MB by the
// store's own estimate.
const SMALL = 65_536
const SHARE = 0.25

/**
 * Keeps the counters of all tables within a cap of keys and a cap of bytes, and evicts refused keys last. The number of
 * keys that it visits per new key does not depend on how many keys there are.
 */
export class Eviction {
  readonly #maxKeys: number
  readonly #maxBytes: number
  readonly #smallKeys: number
  readonly #smallBytes: number
  readonly #tally: Tally
  readonly #tables: Tables
  readonly #onEmpty: (table: Table) => void

  /** @param onEmpty is called with a table that lost its last counter */
  constructor(
    caps: { readonly keys: number; readonly bytes: number },
    tally: Tally,
    tables: Tables,
    onEmpty: (table: Table) => void,
  ) {
    this.#maxKeys = caps.keys
    this.#maxBytes = caps.bytes
    this.#smallKeys = Math.min(SMALL, caps.keys * SHARE)
    this.#smallBytes = caps.bytes * SHARE
    this.#tally = tally
    this.#tables = tables
    this.#onEmpty = onEmpty
  }

  /** Drops a counter. True if it existed. */
  drop(table: Table, subject: string): boolean {
    if (!table.delete(subject)) return false
    if (table.size === 0) this.#onEmpty(table)
    return true
  }

  /** Moves the hands, and drops the expired counters that they meet. Called for each new counter. */
  sweep(table: Table, now: number): void {
    const { keys, bytes } = this.#tally
    const since = keys > this.#smallKeys || bytes > this.#smallBytes ? now : now - KEPT
    for (let i = 0; i < SWEEP; i++) this.#dropFresh(table, now, since)
    // One step in another table, so that the expired counters of an unused policy or route go, too. A table keeps its turn while
    // its counters go, so that one with many does not wait for those with none.
    if (this.#tables.size < 2) return
    const other = this.#tables.current
    if (other === table || !this.#dropFresh(other, now, since)) this.#tables.next()
  }

  /** While a cap is exceeded, drops the counters that matter least, but never the one that was just written. */
  trim(table: Table, subject: string, now: number): void {
    while (this.#isOver() && (this.#evictIdle(table, subject, now) || this.#evictSoonest()));
  }

  #isOver(): boolean {
    const { keys, bytes } = this.#tally
    return keys > this.#maxKeys || (bytes > this.#maxBytes && keys > 1)
  }

  #dropFresh(table: Table, now: number, since: number): boolean {
    const met = table.advanceToFresh(now, since)
    return met !== undefined && this.drop(table, met)
  }

  /** Drops a key that is not refused, from this table if it has another one, else from any. False if all are refused. */
  #evictIdle(table: Table, subject: string, now: number): boolean {
    let met = table.advance(now)
    if (met === subject) met = table.advance(now)
    if (met !== undefined && met !== subject) {
      this.drop(table, met)
      return true
    }
    for (let i = this.#tables.size; i > 0; i--) {
      const other = this.#tables.next()
      met = other === table ? undefined : other.advance(now)
      if (met === undefined) continue
      this.drop(other, met)
      return true
    }
    return false
  }

  /** Drops the key whose refusal ends first. False if none is refused. */
  #evictSoonest(): boolean {
    let found: { table: Table; subject: string } | undefined
    let soonest = Number.POSITIVE_INFINITY
    for (const table of this.#tables.all) {
      const segment = table.soonest()
      if (segment === undefined || segment.soonest >= soonest) continue
      soonest = segment.soonest
      found = { table, subject: segment.first! }
    }
    if (found === undefined) return false
    this.drop(found.table, found.subject)
    return true
  }
}
