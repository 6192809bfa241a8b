import type { Table } from './table.ts'

// Steps of a hand at each new key: enough to meet every expired key before twice as many new ones have come.
const SWEEP = 2
const SEARCH = 64
const BATCH = 1024

/** Keeps the counters of all tables within a cap, sparing those that are being refused. */
export class Eviction {
  /** How many counters there are. */
  count = 0
  readonly #cap: number
  readonly #tables: ReadonlyMap<string, Table>
  readonly #onEmpty: (table: Table) => void
  // Subjects met in the last full round, those whose refusal ends soonest last; filled when all keys were held.
  #soonest: { table: Table; subject: string; until: number }[] = []
  #turn: MapIterator<Table>
  #newest: { table: Table; subject: string } | undefined

  /** @param onEmpty is told of a table that lost its last counter */
  constructor(cap: number, tables: ReadonlyMap<string, Table>, onEmpty: (table: Table) => void) {
    this.#cap = cap
    this.#tables = tables
    this.#turn = tables.values()
    this.#onEmpty = onEmpty
  }

  /** Drops a counter and counts it out. */
  drop(table: Table, subject: string): boolean {
    if (!table.delete(subject)) return false
    this.count--
    if (table.size === 0) this.#onEmpty(table)
    return true
  }

  /** Counts a new subject in; drops expired ones on the way, and one that matters least when the cap is passed. */
  admit(table: Table, subject: string, now: number): void {
    this.count++
    for (let i = 0; i < SWEEP; i++) {
      const met = table.advance()
      if (met !== undefined && met !== subject && table.isFresh(met, now)) this.drop(table, met)
    }
    this.#sweepElsewhere(table, now)
    if (this.count > this.#cap) this.#evict(table, subject, now)
    this.#newest = { table, subject }
  }

  // One step in one other table, so that a policy that rests does not keep what expired.
  #sweepElsewhere(table: Table, now: number): void {
    if (this.#tables.size < 2) return
    let step = this.#turn.next()
    if (step.done === true) {
      this.#turn = this.#tables.values()
      step = this.#turn.next()
    }
    const other = step.value
    const met = other === undefined || other === table ? undefined : other.advance()
    if (other !== undefined && met !== undefined && other.isFresh(met, now)) this.drop(other, met)
  }

  #evict(table: Table, subject: string, now: number): void {
    // The newest key before this one first when it is not refused: in a flood where all others are, it is the only one.
    for (const candidate of this.#candidates(table, subject)) {
      if (candidate.table.heldUntil(candidate.subject, now) > 0) continue
      this.drop(candidate.table, candidate.subject)
      return
    }
    if (this.#dropSoonest(now)) return
    this.#round(subject, now)
    if (!this.#dropSoonest(now)) this.drop(table, subject)
  }

  *#candidates(table: Table, subject: string): Generator<{ table: Table; subject: string }> {
    for (const other of table.size > 1 ? [table] : this.#tables.values()) {
      for (let i = 0; i < SEARCH; i++) {
        const met = other.advance()
        if (met === undefined) break
        if (other !== table || met !== subject) yield { table: other, subject: met }
      }
    }
    const newest = this.#newest
    if (newest !== undefined && (newest.table !== table || newest.subject !== subject)) yield newest
  }

  /** Drops the key whose refusal ends soonest among those met in the last round. */
  #dropSoonest(now: number): boolean {
    for (let next = this.#soonest.pop(); next !== undefined; next = this.#soonest.pop()) {
      const { table, subject, until } = next
      if (table.heldUntil(subject, now) > until) continue
      if (this.drop(table, subject)) return true
    }
    return false
  }

  /** Goes once round all keys and remembers the {@link BATCH} that go first: those not refused, then by their end. */
  #round(spared: string, now: number): void {
    const found: { table: Table; subject: string; until: number }[] = []
    let bar = Number.POSITIVE_INFINITY
    const trim = (): void => {
      found.sort((a, b) => a.until - b.until)
      found.length = Math.min(found.length, BATCH)
      if (found.length === BATCH) bar = found[BATCH - 1]!.until
    }
    for (const table of this.#tables.values()) {
      for (const subject of table.subjects()) {
        const until = table.heldUntil(subject, now)
        if (until >= bar || subject === spared) continue
        found.push({ table, subject, until })
        if (found.length >= 4 * BATCH) trim()
      }
    }
    trim()
    this.#soonest = found.reverse()
  }
}
