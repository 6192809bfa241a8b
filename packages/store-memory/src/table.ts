import type { Rule, State } from '@halt/core/store'
import { algorithms, penalty } from '@halt/core/store'

import { ListSlab, SubWindowSlab } from './list-slab.ts'
import { NarrowSlab } from './narrow-slab.ts'
import type { Slab } from './slab.ts'
import { WideSlab } from './wide-slab.ts'

/** The counters of one policy, by subject. */
export class Table {
  readonly #slots = new Map<string, number>()
  readonly #free: number[] = []
  // Cool-downs by slot: few keys have one, so the others do not pay for it.
  readonly #blocks = new Map<number, number>()
  // Until when a slot's key is known to be refused: what an eviction spares.
  readonly #held = new Map<number, number>()
  // What quotas were granted, by slot: few have any.
  readonly #granted = new Map<number, number>()
  readonly #letter: string
  #slab: Slab
  // The subject looked up last: a check reads and then keeps the same one.
  #subject: string | undefined
  #slot: number | undefined
  #next = 0
  // A hand that goes round the keys for ever; a Map's iterator survives insertions and deletions.
  #hand: MapIterator<[string, number]>

  /** What the store calls it. */
  readonly name: string

  constructor(name: string, letter: string) {
    this.name = name
    this.#letter = letter
    this.#slab =
      letter === 't'
        ? new NarrowSlab(true)
        : isPair(letter)
          ? new NarrowSlab(false)
          : hasSubWindows(letter)
            ? new SubWindowSlab()
            : new ListSlab()
    this.#hand = this.#slots.entries()
  }

  get size(): number {
    return this.#slots.size
  }

  /** A copy of a subject's counter; empty when there is none. */
  load(subject: string): State {
    const slot = this.#find(subject)
    return slot === undefined ? [] : this.#read(slot)
  }

  /** Keeps a counter; true when its subject is new here. */
  save(subject: string, state: State): boolean {
    let slot = this.#find(subject)
    const isNew = slot === undefined
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#next++
      this.#slots.set(subject, slot)
      this.#slot = slot
    }
    if (!this.#slab.save(slot, state)) this.#widen(slot, state)
    if (state[0]! > 0) this.#blocks.set(slot, state[0]!)
    else if (this.#blocks.size > 0) this.#blocks.delete(slot)
    if (state.length === GRANTED) this.#granted.set(slot, state[GRANTED - 1]!)
    else if (this.#granted.size > 0) this.#granted.delete(slot)
    return isNew
  }

  delete(subject: string): boolean {
    const slot = this.#slots.get(subject)
    if (slot === undefined) return false
    this.#slots.delete(subject)
    this.#subject = undefined
    this.#blocks.delete(slot)
    this.#granted.delete(slot)
    this.#held.delete(slot)
    this.#slab.free(slot)
    this.#free.push(slot)
    return true
  }

  /** Marks a subject as refused until an instant, so that a flood of other keys does not free it. */
  hold(subject: string, until: number): void {
    const slot = this.#slots.get(subject)
    if (slot !== undefined) this.#held.set(slot, until)
  }

  /** Until when a subject is known to be refused; 0 when it is not. */
  heldUntil(subject: string, now: number): number {
    const slot = this.#slots.get(subject)
    if (slot === undefined) return 0
    const until = Math.max(this.#held.get(slot) ?? 0, this.#blocks.get(slot) ?? 0)
    return until > now ? until : 0
  }

  /** Moves the hand to the next subject, round and round; undefined when there is none. */
  advance(): string | undefined {
    let step = this.#hand.next()
    if (step.done === true) {
      this.#hand = this.#slots.entries()
      step = this.#hand.next()
    }
    return step.done === true ? undefined : step.value[0]
  }

  /** The subjects, for a full round. */
  subjects(): MapIterator<string> {
    return this.#slots.keys()
  }

  /** Whether a subject's counter equals a fresh one. */
  isFresh(subject: string, now: number): boolean {
    const state = this.load(subject)
    if (state.length === 0 || state[0]! > now) return false
    if (this.#letter === 'i') return true
    if (this.#letter === 'p') return now >= penalty.freshAt(state)
    return now >= algorithms[this.#letter as Rule['letter']].freshAt(state)
  }

  #find(subject: string): number | undefined {
    if (subject !== this.#subject) {
      this.#slot = this.#slots.get(subject)
      this.#subject = subject
    }
    return this.#slot
  }

  #read(slot: number): State {
    const state = this.#slab.load(slot, this.#blocks.size === 0 ? 0 : (this.#blocks.get(slot) ?? 0))
    const granted = this.#granted.size === 0 ? undefined : this.#granted.get(slot)
    if (granted !== undefined) state.push(granted)
    return state
  }

  #widen(slot: number, state: State): void {
    const wide = new WideSlab(this.#letter === 't')
    for (const other of this.#slots.values()) if (other !== slot) wide.save(other, this.#read(other))
    wide.save(slot, state)
    this.#slab = wide
  }
}

// The numbers of a quota's counter with a grant, the last of them: no other counter has so many.
const GRANTED = 4

function isPair(letter: string): boolean {
  return letter === 'f' || letter === 'q'
}

function hasSubWindows(letter: string): boolean {
  return letter === 's' || letter === 'c'
}
