import type { Rule, State } from '@halt/core/store'
import { abuseScore, algorithms } from '@halt/core/store'

import { Holds } from './holds.ts'
import { NarrowSlab } from './narrow-slab.ts'
import { roomy, type Slab } from './slab.ts'
import { SubWindowSlab } from './sub-window-slab.ts'
import type { Tally } from './tally.ts'
import { WideSlab } from './wide-slab.ts'

const SPARSE = 128
// How many numbers a quota has that was topped up: the last is what was granted.
const GRANTED = 4

/**
 * A few thousand counters of a table. What takes time in proportion to the number of counters (growth of a map, a change
 * of layout) is done by segment, and so is short.
 */
export class Segment {
  /** How many bits of their hash all its keys share. */
  readonly depth: number
  readonly #letter: string
  // The keys that are not being refused, as far as is known; the others are in the holds.
  readonly #open = new Map<string, number>()
  #holds: Holds | undefined
  #slab: Slab
  // Cool-downs by slot: few keys have one, so there is no column before the first.
  #blocks = new Float64Array(0)
  // What quotas were granted, by slot: few have any.
  readonly #granted = new Map<number, number>()
  readonly #free: number[] = []
  #next = 0

  constructor(code: string, tally: Tally, depth = 0) {
    this.depth = depth
    this.#letter = code
    this.#slab = slabFor(code, tally)
  }

  get size(): number {
    return this.#open.size + (this.#holds?.size ?? 0)
  }

  /** Whether it holds on to far more room than its counters need. */
  get isSparse(): boolean {
    return this.#next >= SPARSE && 2 * this.size < this.#next
  }

  /** When the first refusal ends; `Infinity` where no key is being refused. */
  get soonest(): number {
    return this.#holds?.soonest ?? Number.POSITIVE_INFINITY
  }

  /** The key whose refusal ends first. */
  get first(): string | undefined {
    return this.#holds?.first
  }

  find(subject: string): number | undefined {
    const slot = this.#open.get(subject)
    return slot === undefined && this.#holds !== undefined ? this.#holds.find(subject) : slot
  }

  load(slot: number): State {
    const state = this.#slab.load(slot, slot < this.#blocks.length ? this.#blocks[slot]! : 0)
    const granted = this.#granted.size === 0 ? undefined : this.#granted.get(slot)
    if (granted !== undefined) state.push(granted)
    return state
  }

  /** Makes room for a key that it has not; its slot. */
  insert(subject: string): number {
    const slot = this.#free.pop() ?? this.#next++
    this.#open.set(subject, slot)
    return slot
  }

  save(slot: number, state: State): void {
    if (!this.#slab.save(slot, state)) this.#widen(slot, state)
    const cooldown = state[0]!
    if (cooldown > 0) {
      this.#blocks = roomy(this.#blocks, slot)
      this.#blocks[slot] = cooldown
    } else if (slot < this.#blocks.length) this.#blocks[slot] = 0
    if (this.#letter !== 'q') return
    if (state.length === GRANTED) this.#granted.set(slot, state[GRANTED - 1]!)
    else if (this.#granted.size > 0) this.#granted.delete(slot)
  }

  /** Lets go of a key and its slot. */
  delete(subject: string, slot: number): void {
    if (!this.#open.delete(subject)) this.#holds?.delete(subject)
    this.#slab.free(slot)
    this.#granted.delete(slot)
    if (slot < this.#blocks.length) this.#blocks[slot] = 0
    this.#free.push(slot)
  }

  /** Marks a key as refused until an instant. */
  hold(subject: string, slot: number, until: number): void {
    this.#holds ??= new Holds()
    if (this.#holds.end(slot) === 0) this.#open.delete(subject)
    this.#holds.set(subject, slot, until)
  }

  /** Until when a slot's key is known to be refused; 0 when it is not. */
  heldUntil(slot: number): number {
    return this.#holds?.end(slot) ?? 0
  }

  /** Whether a key is not being refused. Puts one whose refusal has ended back among these. */
  hasOpen(now: number): boolean {
    if (this.soonest <= now) {
      const subject = this.first!
      this.#open.set(subject, this.#holds!.delete(subject))
    }
    return this.#open.size > 0
  }

  /** The keys that are not being refused, and their slots; some whose refusal has ended may be missing. */
  open(): MapIterator<[string, number]> {
    return this.#open.entries()
  }

  /** Moves all its counters to others. */
  moveTo(segmentOf: (subject: string) => Segment): void {
    for (const [subject, slot] of this.#entries()) {
      const segment = segmentOf(subject)
      const place = segment.insert(subject)
      segment.save(place, this.load(slot))
      if (this.heldUntil(slot) > 0) segment.hold(subject, place, this.heldUntil(slot))
      this.#slab.free(slot)
    }
  }

  /** Whether a slot's counter equals a fresh one. */
  isFresh(slot: number, now: number): boolean {
    const state = this.load(slot)
    if (state[0]! > now) return false
    if (this.#letter === 'i') return true
    if (this.#letter === 'p') return now >= abuseScore.freshAt(state)
    return now >= algorithms[this.#letter as Rule['code']].freshAt(state)
  }

  *#entries(): Generator<[string, number]> {
    yield* this.#open
    if (this.#holds !== undefined) yield* this.#holds.entries()
  }

  #widen(slot: number, state: State): void {
    const wide = new WideSlab(this.#letter === 't' ? 4 : 2)
    for (const [, other] of this.#entries()) if (other !== slot) wide.save(other, this.load(other))
    wide.save(slot, state)
    this.#slab = wide
  }
}

function slabFor(code: string, tally: Tally): Slab {
  if (code === 't') return new NarrowSlab(true)
  if (code === 'f' || code === 'q') return new NarrowSlab(false)
  if (code === 's' || code === 'c') return new SubWindowSlab(tally)
  // A penalty has five numbers behind the first, an idempotency key none.
  return new WideSlab(code === 'p' ? 5 : 0)
}
