import type { State } from '@halt/core/store'

import { roomy, type Slab } from './slab.ts'

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
 * stretch and, for buckets, the unit and the rate. Exact; the segment turns wide when something does not fit.
 */
export class NarrowSlab implements Slab {
  readonly #bucket: boolean
  // The instant and the amount of a slot side by side: one line of the processor's cache.
  #pairs = new Uint32Array(0)
  // Places in the list of eras, from 1; 0 is none.
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
      this.#pairs = roomy(this.#pairs, slot, 2)
      this.#eras = roomy(this.#eras, slot)
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
