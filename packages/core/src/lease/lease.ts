import { type Edges, type Rule, type State, algorithmOf, blockedUntil } from '../algorithms/index.ts'
import type { CompiledLease } from '../policy/lease.ts'
import type { Demand } from '../store/contract.ts'

/** Units of a counter that this process has charged in one call, and may use until they expire. */
export interface Batch {
  /** The units that are not used yet. */
  units: number
  /** When they expire, by this process's clock in microseconds. */
  readonly until: number
  /** When they were charged, by the store's clock in microseconds. */
  readonly takenAt: number
  /** The part of the counter that was charged. */
  readonly chargedTo: number
  /** The resets of the counter before the charge. After another one the units no longer count, so they are not given back. */
  readonly resets: number
}

/** One counter's units that this process has charged in advance, and its last known state. Instants are this process's microseconds. */
export class Lease {
  readonly subject: string
  readonly rule: Rule
  readonly terms: CompiledLease
  /** The counter as the store last told it. */
  state: State = []
  /** The calendar edges of a quota. */
  edges: Edges | undefined
  /** Whether a call that takes units is under way. */
  isTaking = false
  /** The number of resets of the counter. A call that was sent before the last one took units that no longer count. */
  resets = 0
  #batches: Batch[] = []
  // The units of all batches, those included that expired a moment ago.
  #units = 0
  #toldAt = 0
  #heardAt = 0
  #takeAgainAt = 0
  #takeAgainBelow = 0
  #asked = 0
  #asks = 0
  #askedSince = 0

  constructor({ subject, rule, edges }: Demand, terms: CompiledLease) {
    this.subject = subject
    this.rule = rule
    this.terms = terms
    this.edges = edges
  }

  /** The store's clock, in microseconds, as far as this process knows. Never ahead. */
  storeNow(now: number): number {
    return this.#toldAt + Math.max(0, now - this.#heardAt)
  }

  /** Counts the units that a request asks for. */
  ask(cost: number, now: number): void {
    if (now - this.#askedSince > this.terms.idle) this.#countAnew(now)
    this.#asked += cost
    this.#asks++
  }

  /** The units that this process asked for per microsecond lately. */
  pace(now: number, shortest: number): number {
    return this.#asked / Math.max(now - this.#askedSince, shortest)
  }

  /** The units that a request asks for on average. */
  get usualCost(): number {
    return this.#asks === 0 ? 1 : this.#asked / this.#asks
  }

  /** Uses units of one batch, and counts them. Returns the batch; undefined if none holds that many. */
  spend(cost: number, now: number): Batch | undefined {
    for (const batch of this.#batches) {
      if (batch.units < cost || now >= batch.until) continue
      batch.units -= cost
      this.#units -= cost
      this.ask(cost, now)
      return batch
    }
    return undefined
  }

  /** Puts back units that were not used after all. Returns whether the batch still holds them. */
  unspend(batch: Batch, cost: number, now: number): boolean {
    if (now >= batch.until || !this.#batches.includes(batch)) return false
    batch.units += cost
    this.#units += cost
    return true
  }

  /** The units that this process may still use. */
  held(now: number): number {
    let units = 0
    for (const batch of this.#batches) if (now < batch.until) units += batch.units
    return units
  }

  /** Whether it is time to take the next units. */
  isLow(now: number): boolean {
    return !this.isTaking && (this.#units <= this.#takeAgainBelow || now >= this.#takeAgainAt)
  }

  /** Keeps a batch that the store has charged. A quarter of it is left for the time that the next call takes. */
  add(batch: Batch, now: number): void {
    this.#batches.push(batch)
    this.#units += batch.units
    this.#takeAgainBelow = batch.units / 4
    this.#takeAgainAt = batch.until - (batch.until - now) / 4
    this.#countAnew(now)
  }

  /** Keeps the state that the store told. Returns false if the counter is in a cool-down. */
  observe(state: State, toldAt: number, now: number): boolean {
    if (toldAt >= this.#toldAt) {
      this.state = state
      this.#toldAt = toldAt
      this.#heardAt = now
    }
    return toldAt >= blockedUntil(state)
  }

  /**
   * The debt of a bucket as {@link stateAt} has it.
   *
   * perf: bench "a check that a lease pays"; no list is made for a check.
   */
  debtAt(now: number): number {
    const { unit, rate } = this.rule
    // Another process may count by other numbers while a limit changes.
    if (this.state[3] !== unit || this.state[4] !== rate) return this.stateAt(now)[2] ?? 0
    const debt = (this.state[2] as number) - Math.max(0, now - this.#heardAt) * rate
    return Math.max(0, Math.floor(Math.max(0, debt) - this.#units * unit))
  }

  /** The counter as if the units that this process holds were still left. */
  stateAt(now: number): State {
    const { rule } = this
    const algorithm = algorithmOf(rule)
    const state = [...this.state]
    const storeNow = this.storeNow(now)
    for (const { units, until, chargedTo } of this.#batches)
      if (now < until) algorithm.refund(state, storeNow, units, rule, chargedTo)
    return state
  }

  /** Removes the batches that have expired at an instant. */
  takeOut(now: number): Batch[] {
    const gone = this.#batches.filter(({ until }) => now >= until)
    if (gone.length > 0) this.#batches = this.#batches.filter(({ until }) => now < until)
    for (const { units } of gone) this.#units -= units
    return gone
  }

  /** When the next batch expires; undefined if there is none. */
  get nextEnd(): number | undefined {
    let end: number | undefined
    for (const { until } of this.#batches) if (end === undefined || until < end) end = until
    return end
  }

  #countAnew(now: number): void {
    this.#asked = 0
    this.#asks = 0
    this.#askedSince = now
  }
}
