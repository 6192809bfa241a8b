import { fromCaller } from '@halt/core/counters'
import {
  Admitted,
  AdmittedGroup,
  type ChargeAnswer,
  type CounterId,
  type Counters,
  decide,
  type Digest,
  type Group,
  hasOneAmount,
  isLoneCharge,
  isPlainGroup,
  LocalDocuments,
  makeDigest,
  Mode,
  type Refused,
  refuseAlone,
  type Rule,
  type State,
  type Store,
  type StoreDocument,
  type Evaluation,
  waitFor,
} from '@halt/core/counters'

import { microseconds, checkOptions, type InMemoryStoreOptions } from './options.ts'
import { Eviction } from './eviction.ts'
import { LONGEST_NAME, type CounterTable, CounterTables } from './counter-tables.ts'
import type { Table } from './table.ts'
import { Tally } from './tally.ts'

/** The bytes per key of `maxKeys`. Most counters take less. One that takes more uses the room of several. */
const BYTES_PER_KEY = 256
// Room for the tables of some hundred policies, so that they take none of a small store's.
const BYTES_FOR_TABLES = 1 << 20

/**
 * A store of counters in this process's memory. It is synchronous and bounded, and has no timers.
 *
 * Counters are not shared between processes, and end with this one. Above `maxKeys`, expired counters are evicted first, then
 * any that is not refused. A refused or blocked key, or one at which callers wait, is evicted only if all keys are so.
 *
 * @throws HaltError `HALT_E_STORE_OPTION` if an option is unknown or out of range
 * @example
 * const limiter = new RateLimiter({ store: new InMemoryStore(), policy: presets.PUBLIC_API })
 */
export class InMemoryStore implements Store {
  readonly kind: string = 'memory'
  readonly isShared: boolean = false
  readonly isChecked: boolean = true
  readonly isSynchronous: boolean = true
  /** The clock that decides, Unix milliseconds. A bound function, so that a wrapped store can pass it on. */
  readonly clock: () => number = () => this.#now() / 1000
  readonly #now: () => number
  readonly #tally = new Tally()
  readonly #tables = new CounterTables(this.#tally)
  readonly #eviction: Eviction
  readonly #digest: Digest = makeDigest()
  readonly #counters: Counters
  readonly #documents = new LocalDocuments()
  #at = 0
  // The last name that was too long to store, and its digest.
  #long = ''
  #short = ''

  constructor(options: InMemoryStoreOptions = {}) {
    const { maxKeys = 1_000_000, clock } = fromCaller(InMemoryStore, () => checkOptions(options))
    this.#now = microseconds(clock)
    const caps = { keys: maxKeys, bytes: maxKeys * BYTES_PER_KEY + BYTES_FOR_TABLES }
    this.#eviction = new Eviction(caps, this.#tally, this.#tables.tables, table => this.#tables.forget(table))
    this.#counters = {
      load: (subject, counter) => {
        const found = this.#tables.find(counter)
        return found.table.load(this.#name(subject, found))
      },
      keep: (subject, counter, state, freshAt) => this.#keep(subject, counter, state, freshAt),
    }
  }

  /** This object is the place of its data. */
  get place(): readonly unknown[] {
    return ['memory', this]
  }

  evaluate(group: Group): Evaluation {
    const charged = this.#chargeInPlace(group)
    if (charged !== undefined) return charged
    const evaluation = decide(group, this.#counters, this.#at)
    if (!evaluation.allowed) this.#hold(group, evaluation)
    else if (evaluation.startsIn !== undefined && evaluation.startsIn > 0)
      this.#holdLine(group, evaluation.now + evaluation.startsIn)
    return evaluation
  }

  // perf: bench "@halt/store-memory, token bucket", hot key; it is a tenth slower if the instant is passed.
  charge(subject: string, rule: Rule, cost: number): ChargeAnswer | undefined {
    const now = (this.#at = this.#now())
    const found = this.#tables.find(rule.counter)
    const name = this.#name(subject, found)
    if (rule.code !== 't') {
      const state = found.table.chargeWindow(name, rule, cost, now)
      return state === undefined
        ? this.#refuse(found.table, name, rule, cost)
        : new Admitted(now, rule, undefined, state)
    }
    const debt = found.table.charge(name, rule, cost, now)
    if (debt > 0) return new Admitted(now, rule, debt)
    if (debt === 0) return this.#refuse(found.table, name, rule, cost)
    if (cost > rule.capacity) return undefined
    this.#insert(found.table, name, [0, now, cost * rule.unit, rule.unit, rule.rate])
    return new Admitted(now, rule, cost * rule.unit)
  }

  /** Refuses a cost by a counter that stays as it is. Undefined if `decide` must decide. */
  #refuse(table: Table, name: string, rule: Rule, cost: number): Refused | undefined {
    const refused = refuseAlone(table.load(name), rule, cost, this.#at)
    if (refused !== undefined) table.hold(name, refused.now + refused.wait)
    return refused
  }

  /** Reads the clock, and charges one counter or several in place. Returns undefined if `decide` must decide. */
  #chargeInPlace(group: Group): Evaluation | undefined {
    if (isLoneCharge(group)) {
      const { subject, rule, cost } = group.demands[0]!
      return this.charge(subject, rule, cost)
    }
    this.#at = this.#now()
    return isPlainGroup(group) ? this.#chargeGroup(group.demands) : undefined
  }

  /** Charges buckets and windows in place, all or none. */
  #chargeGroup(demands: Group['demands']): Evaluation | undefined {
    const now = this.#at
    const amounts: number[] = []
    const ends: number[] = []
    for (let i = 0; i < demands.length; i++) {
      const { subject, rule, cost } = demands[i]!
      if (!hasOneAmount(rule.code)) return undefined
      const found = this.#tables.find(rule.counter)
      const name = this.#name(subject, found)
      const amount = found.table.amountAfter(name, rule, cost, now)
      if (amount === 0) return undefined
      amounts.push(amount)
      ends.push(rule.code === 't' ? 0 : found.table.end(name))
    }
    for (let i = 0; i < demands.length; i++) {
      const { subject, rule } = demands[i]!
      const found = this.#tables.find(rule.counter)
      const name = this.#name(subject, found)
      const amount = amounts[i]!
      if (found.table.setAmount(name, rule, now, amount)) continue
      // A window that is not there any more made room for the bucket before it.
      const state = rule.code === 't' ? [0, now, amount, rule.unit, rule.rate] : [0, ends[i]!, amount]
      this.#insert(found.table, name, state)
    }
    return new AdmittedGroup(now, amounts, demands, ends)
  }

  /** Stores a counter that is new, or whose terms have changed. */
  #insert(table: Table, name: string, state: State): void {
    const now = this.#at
    table.save(name, state, now)
    this.#eviction.sweep(table, now)
    this.#eviction.trim(table, name, now)
  }

  document(name: string): StoreDocument {
    return this.#documents.of(name)
  }

  forget(counters: readonly CounterId[]): number {
    let count = 0
    for (const { subject, counter } of counters) {
      const found = this.#tables.find(counter)
      if (this.#eviction.drop(found.table, this.#name(subject, found))) count++
    }
    return count
  }

  /** Forgets every counter and every document. */
  clear(): void {
    this.#documents.clear()
    this.#tables.clear()
    this.#tally.keys = 0
    this.#tally.bytes = 0
  }

  /**
   * The number of stored counters, with expired ones that were not dropped yet. A counter that is full again, so that it equals a
   * new one, stays for a second, unless there are more than 65 536 counters, or the store is full to a quarter.
   */
  get size(): number {
    return this.#tally.keys
  }

  /** The most bytes that the stored counters take. The estimate is on the high side. */
  get bytes(): number {
    return this.#tally.bytes
  }

  // Two counters of a table never have the same name: no counter holds a space, and no subject begins with a control character.
  #name(subject: string, { detail }: CounterTable): string {
    const name = detail === '' ? subject : subject + detail
    if (name.length <= LONGEST_NAME) return name
    if (name !== this.#long) {
      this.#long = name
      this.#short = `\0${this.#digest(name)}`
    }
    return this.#short
  }

  #keep(subject: string, counter: string, state: State, freshAt: number): void {
    const found = this.#tables.find(counter)
    const { table } = found
    const name = this.#name(subject, found)
    const now = this.#at
    if (freshAt <= now) {
      this.#eviction.drop(table, name)
      return
    }
    const isNew = table.save(name, state, now)
    if (isNew) this.#eviction.sweep(table, now)
    this.#eviction.trim(table, name, now)
  }

  /** Keeps a flood of keys from forgetting a line before its last caller starts, so that nobody overtakes. */
  #holdLine(group: Group, until: number): void {
    for (const { rule, subject, mode } of group.demands) {
      if (mode !== Mode.CHARGE) continue
      const found = this.#tables.find(rule.counter)
      found.table.hold(this.#name(subject, found), until)
    }
  }

  #hold(group: Group, evaluation: Evaluation): void {
    for (const [i, demand] of group.demands.entries()) {
      if (evaluation.passes[i] === true || demand.mode !== Mode.CHARGE) continue
      const wait = waitFor(demand, evaluation.states[i]!, evaluation)
      if (wait === Number.POSITIVE_INFINITY) continue
      const found = this.#tables.find(demand.rule.counter)
      found.table.hold(this.#name(demand.subject, found), evaluation.now + wait)
    }
  }
}
