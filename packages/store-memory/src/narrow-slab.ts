import type { State } from '@halt/core/store'

import { CHUNK, copy, SHIFT, sizeFor, type Slab } from './slab.ts'

const SPAN = 2 ** 32

/** The terms that many counters share: what a narrow slot does not repeat. */
interface Era {
  readonly base: number
  readonly unit: number
  readonly rate: number
  /** How many slots count in it; when none does, its place is free. */
  slots: number
}

const MOST_ERAS = 255

/**
 * Nine bytes a counter: an instant and an amount as 32-bit offsets into an *era*, which names the instant's 71-minute
 * stretch and, for buckets, the unit and the rate. Exact; what does not fit is refused and the table turns wide.
 */
export class NarrowSlab implements Slab {
  readonly #bucket: boolean
  // The instant and the amount of a slot side by side: one line of the processor's cache.
  readonly #pairs: Uint32Array[] = []
  // Places in the list of eras, from 1; 0 is none.
  readonly #eras: Uint8Array[] = []
  readonly #terms: Era[] = []
  #current = -1

  constructor(bucket: boolean) {
    this.#bucket = bucket
  }

  load(slot: number, block: number): State {
    const chunk = slot >>> SHIFT
    const at = slot & (CHUNK - 1)
    const era = this.#terms[this.#eras[chunk]![at]! - 1]!
    const pairs = this.#pairs[chunk]!
    const instant = era.base + pairs[2 * at]!
    const amount = pairs[2 * at + 1]!
    return this.#bucket ? [block, instant, amount, era.unit, era.rate] : [block, instant, amount]
  }

  save(slot: number, state: State): boolean {
    const instant = state[1]!
    const amount = state[2]!
    if (amount >= SPAN) return false
    const era = this.#era(instant, this.#bucket ? state[3]! : 0, this.#bucket ? state[4]! : 0)
    if (era < 0) return false
    const chunk = slot >>> SHIFT
    const at = slot & (CHUNK - 1)
    if (at >= (this.#eras[chunk]?.length ?? 0)) this.#grow(chunk, slot)
    const eras = this.#eras[chunk]!
    if (eras[at] !== era + 1) {
      if (eras[at]! > 0) this.#terms[eras[at]! - 1]!.slots--
      this.#terms[era]!.slots++
      eras[at] = era + 1
    }
    const pairs = this.#pairs[chunk]!
    pairs[2 * at] = instant - this.#terms[era]!.base
    pairs[2 * at + 1] = amount
    return true
  }

  free(slot: number): void {
    const eras = this.#eras[slot >>> SHIFT]!
    const at = slot & (CHUNK - 1)
    if (eras[at]! > 0) this.#terms[eras[at]! - 1]!.slots--
    eras[at] = 0
  }

  #grow(chunk: number, slot: number): void {
    const [pairs, eras] = [this.#pairs[chunk], this.#eras[chunk]]
    const size = sizeFor(slot, eras?.length ?? 0)
    this.#pairs[chunk] = copy(new Uint32Array(2 * size), pairs)
    this.#eras[chunk] = copy(new Uint8Array(size), eras)
  }

  /** The place of an era; a new one takes the place of one that no counter is in. -1: there is no room. */
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
