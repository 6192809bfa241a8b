import type { Rule, State } from '@halt/core/store'

/** Stores the numbers of a segment's counters by slot, without an object per counter. */
export interface Slab {
  /** The state of a slot: the given cool-down, then the stored numbers. */
  load(slot: number, cooldown: number): State
  /** Stores the numbers of `state` after the cool-down. False if they do not fit this layout. */
  save(slot: number, state: State): boolean
  /** Frees a slot's numbers. */
  free(slot: number): void
  /** Buckets: the instant from which a slot's counter, its cool-down ignored, equals a fresh one. In microseconds. */
  freshAt?(slot: number): number
  /**
   * Buckets and windows: the debt of a slot after a charge, or the units used. 0 if `decide` must decide, because the cost does not
   * fit, the stored terms are not those of `rule`, or the charge begins a window.
   */
  amountAfter?(slot: number, rule: Rule, cost: number, now: number): number
  /** Stores such an amount at `now`. False if it changed nothing, because the stored terms are not those of `rule`. */
  setAmount?(slot: number, rule: Rule, now: number, amount: number): boolean
  /** Windows: the end. */
  end?(slot: number): number
  /**
   * Windows: charges a slot, and returns its state after that. Undefined if it changed nothing, because the cost does not fit, or
   * the charge begins a window or sub-window.
   */
  chargeWindow?(slot: number, rule: Rule, cost: number, now: number): State | undefined
}

type Numbers = Uint32Array | Uint8Array | Float64Array

const FIRST = 16
const STEP = 1024

/**
 * Returns a column of `width` numbers per slot with room for `slot`: the same one, or a larger copy. Small columns double,
 * because there may be many tables of few keys. Larger ones grow by a fixed step, which leaves little slack.
 */
export function withRoom<T extends Numbers>(column: T, slot: number, width = 1): T {
  if ((slot + 1) * width <= column.length) return column
  let slots = FIRST
  while (slots <= slot) slots += slots < STEP ? slots : STEP
  const Column = column.constructor as new (length: number) => T
  const larger = new Column(slots * width)
  larger.set(column)
  return larger
}

/** The debt of a bucket after a charge, from its debt before and the part of this debt which is paid back. 0 if it exceeds `most`. */
export function debtAfter(owed: number, paid: number, charge: number, most: number): number {
  const debt = (paid >= owed ? 0 : owed - paid) + charge
  return debt > most ? 0 : debt
}

const SPAN = 2 ** 32

/** The numbers that many counters share, so that a narrow slot does not repeat them. */
interface Era {
  readonly base: number
  readonly unit: number
  readonly rate: number
  /** How many slots use it. At 0 its place is free. */
  slots: number
}

const MOST_ERAS = 255

/**
 * Nine bytes per counter: an amount, an instant as an offset into an *era*, both of 32 bits, and the number of the era. The
 * era has the start of a period of 71 minutes and, for buckets, the unit and the rate. Nothing is rounded: if a state does
 * not fit, the segment changes to a `WideSlab`.
 */
export class NarrowSlab implements Slab {
  readonly #bucket: boolean
  // The instant and the amount of a slot stand side by side, in one line of the processor's cache.
  #pairs = new Uint32Array(0)
  // Indexes in the list of eras, from 1; 0 means none.
  #eras = new Uint8Array(0)
  readonly #terms: Era[] = []
  #current = -1

  constructor(bucket: boolean) {
    this.#bucket = bucket
  }

  load(slot: number, cooldown: number): State {
    const era = this.#terms[this.#eras[slot]! - 1]!
    const instant = era.base + this.#pairs[2 * slot]!
    const amount = this.#pairs[2 * slot + 1]!
    return this.#bucket ? [cooldown, instant, amount, era.unit, era.rate] : [cooldown, instant, amount]
  }

  save(slot: number, state: State): boolean {
    const instant = state[1]!
    const amount = state[2]!
    if (amount >= SPAN) return false
    const era = this.#era(instant, this.#bucket ? state[3]! : 0, this.#bucket ? state[4]! : 0)
    if (era < 0) return false
    if (slot >= this.#eras.length) {
      this.#pairs = withRoom(this.#pairs, slot, 2)
      this.#eras = withRoom(this.#eras, slot)
    }
    const eras = this.#eras
    if (eras[slot] !== era + 1) {
      if (eras[slot]! > 0) this.#terms[eras[slot]! - 1]!.slots--
      this.#terms[era]!.slots++
      eras[slot] = era + 1
    }
    const pairs = this.#pairs
    pairs[2 * slot] = instant - this.#terms[era]!.base
    pairs[2 * slot + 1] = amount
    return true
  }

  free(slot: number): void {
    const eras = this.#eras
    if (slot >= eras.length) return
    if (eras[slot]! > 0) this.#terms[eras[slot]! - 1]!.slots--
    eras[slot] = 0
  }

  // perf: bench "@halt/store-memory, token bucket", hot key. The suite of random histories holds it equal to decide().
  amountAfter(slot: number, rule: Rule, cost: number, now: number): number {
    const era = this.#terms[this.#eras[slot]! - 1]!
    const instant = now - era.base
    if (!this.#bucket) {
      const used = this.#pairs[2 * slot + 1]! + cost
      return instant >= this.#pairs[2 * slot]! || used > rule.limit || used >= SPAN ? 0 : used
    }
    const { unit, rate, capacity } = rule
    const elapsed = instant - this.#pairs[2 * slot]!
    if (era.unit !== unit || era.rate !== rate || instant >= SPAN || elapsed < 0) return 0
    const debt = debtAfter(this.#pairs[2 * slot + 1]!, elapsed * rate, cost * unit, capacity * unit)
    return debt < SPAN ? debt : 0
  }

  setAmount(slot: number, { unit, rate }: Rule, now: number, amount: number): boolean {
    if (this.#bucket) {
      const era = this.#terms[this.#eras[slot]! - 1]!
      if (amount >= SPAN || !fits(era, now, unit, rate)) return false
      this.#pairs[2 * slot] = now - era.base
    }
    this.#pairs[2 * slot + 1] = amount
    return true
  }

  end(slot: number): number {
    return this.#terms[this.#eras[slot]! - 1]!.base + this.#pairs[2 * slot]!
  }

  // perf: bench "@halt/store-memory, fixed window", hot key; a test holds it equal to decide().
  chargeWindow(slot: number, rule: Rule, cost: number, now: number): State | undefined {
    const used = this.amountAfter(slot, rule, cost, now)
    if (used === 0) return undefined
    this.#pairs[2 * slot + 1] = used
    return [0, this.end(slot), used]
  }

  freshAt(slot: number): number {
    const era = this.#terms[this.#eras[slot]! - 1]!
    return era.base + this.#pairs[2 * slot]! + Math.ceil(this.#pairs[2 * slot + 1]! / era.rate)
  }

  /** The index of an era. A new era replaces one without counters. -1 if there is no room. */
  #era(instant: number, unit: number, rate: number): number {
    const last = this.#terms[this.#current]
    if (last !== undefined && fits(last, instant, unit, rate)) return this.#current
    const found = this.#terms.findIndex(era => fits(era, instant, unit, rate))
    if (found >= 0) return (this.#current = found)
    const unused = this.#terms.findIndex(era => era.slots === 0)
    const place = unused >= 0 ? unused : this.#terms.length
    if (place >= MOST_ERAS) return -1
    this.#terms[place] = { base: instant - (instant % SPAN), unit, rate, slots: 0 }
    return (this.#current = place)
  }
}

function fits(era: Era, instant: number, unit: number, rate: number): boolean {
  return instant >= era.base && instant < era.base + SPAN && era.unit === unit && era.rate === rate
}
