import type { State } from '@halt/core/store'

/** Where a table keeps its counters' numbers, by slot, without an object for each. */
export interface Slab {
  /** Appends the slot's numbers to `state`, which holds the cool-down already. */
  load(slot: number, state: State): void
  /** Keeps the numbers of `state`; false when they do not fit this layout. */
  save(slot: number, state: State): boolean
}

const CHUNK = 8192
const SHIFT = 13
const SPAN = 2 ** 32

/** The terms that many counters share: what a narrow slot does not repeat. */
interface Era {
  readonly base: number
  readonly unit: number
  readonly rate: number
}

/**
 * Ten bytes a counter: an instant and an amount as 32-bit offsets into an *era*, which names the instant's 71-minute
 * stretch and, for buckets, the unit and the rate. Exact; what does not fit is refused and the table turns wide.
 */
export class NarrowSlab implements Slab {
  readonly #bucket: boolean
  readonly #instants: Uint32Array[] = []
  readonly #amounts: Uint32Array[] = []
  readonly #eras: Uint16Array[] = []
  readonly #terms: Era[] = []
  #current = -1

  constructor(bucket: boolean) {
    this.#bucket = bucket
  }

  load(slot: number, state: State): void {
    const chunk = slot >>> SHIFT
    const at = slot & (CHUNK - 1)
    const era = this.#terms[this.#eras[chunk]![at]!]!
    const instant = era.base + this.#instants[chunk]![at]!
    if (this.#bucket) state.push(instant, this.#amounts[chunk]![at]!, era.unit, era.rate)
    else state.push(instant, this.#amounts[chunk]![at]!)
  }

  save(slot: number, state: State): boolean {
    const instant = state[1]!
    const amount = state[2]!
    if (amount >= SPAN) return false
    const era = this.#era(instant, this.#bucket ? state[3]! : 0, this.#bucket ? state[4]! : 0)
    if (era > 0xffff) return false
    const chunk = slot >>> SHIFT
    const at = slot & (CHUNK - 1)
    if (chunk === this.#instants.length) {
      this.#instants.push(new Uint32Array(CHUNK))
      this.#amounts.push(new Uint32Array(CHUNK))
      this.#eras.push(new Uint16Array(CHUNK))
    }
    this.#instants[chunk]![at] = instant - this.#terms[era]!.base
    this.#amounts[chunk]![at] = amount
    this.#eras[chunk]![at] = era
    return true
  }

  #era(instant: number, unit: number, rate: number): number {
    const last = this.#terms[this.#current]
    if (last !== undefined && fits(last, instant, unit, rate)) return this.#current
    let found = this.#terms.findLastIndex(era => fits(era, instant, unit, rate))
    if (found < 0) found = this.#terms.push({ base: instant - (instant % SPAN), unit, rate }) - 1
    return (this.#current = found)
  }
}

function fits(era: Era, instant: number, unit: number, rate: number): boolean {
  return instant >= era.base && instant < era.base + SPAN && era.unit === unit && era.rate === rate
}

/** Eight bytes a number: for amounts past 32 bits and for counters whose terms keep changing. */
export class WideSlab implements Slab {
  readonly #width: number
  readonly #chunks: Float64Array[] = []

  constructor(bucket: boolean) {
    this.#width = bucket ? 4 : 2
  }

  load(slot: number, state: State): void {
    const chunk = this.#chunks[slot >>> SHIFT]!
    const from = (slot & (CHUNK - 1)) * this.#width
    for (let i = 0; i < this.#width; i++) state.push(chunk[from + i]!)
  }

  save(slot: number, state: State): boolean {
    const at = slot >>> SHIFT
    while (at >= this.#chunks.length) this.#chunks.push(new Float64Array(CHUNK * this.#width))
    const chunk = this.#chunks[at]!
    const from = (slot & (CHUNK - 1)) * this.#width
    for (let i = 0; i < this.#width; i++) chunk[from + i] = state[i + 1]!
    return true
  }
}

/** An array a counter: for counters of many numbers, or few counters. */
export class ListSlab implements Slab {
  readonly #lists: State[] = []

  load(slot: number, state: State): void {
    for (const number of this.#lists[slot]!) state.push(number)
  }

  save(slot: number, state: State): boolean {
    this.#lists[slot] = state.slice(1)
    return true
  }
}
