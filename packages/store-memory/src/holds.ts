import { withRoom } from './slab.ts'

/** The refused keys of a segment: a heap by the instant at which the refusal ends, the soonest first. */
export class Holds {
  readonly #slots = new Map<string, number>()
  // By slot: the key, the end of its refusal, and its place in the heap. Places count from 1; 0 means none.
  readonly #names: string[] = []
  #ends = new Float64Array(0)
  #places = new Uint32Array(0)
  // By place: the slot.
  #heap = new Uint32Array(0)
  #soonest = Number.POSITIVE_INFINITY

  get size(): number {
    return this.#slots.size
  }

  /** The slot of a key. Undefined if it is not refused. */
  find(subject: string): number | undefined {
    return this.#slots.get(subject)
  }

  /** The instant when the first refusal ends, `Infinity` if there is none. Kept, because evictions compare all segments. */
  get soonest(): number {
    return this.#soonest
  }

  /** The key whose refusal ends first. Undefined if there is none. */
  get first(): string | undefined {
    return this.size === 0 ? undefined : this.#names[this.#heap[1]!]
  }

  /** The instant when a slot's refusal ends, 0 if it is not refused. */
  end(slot: number): number {
    return slot < this.#places.length && this.#places[slot]! > 0 ? this.#ends[slot]! : 0
  }

  /** Adds a key, or changes the end of its refusal. */
  set(subject: string, slot: number, end: number): void {
    const before = this.end(slot)
    if (before === end) return
    if (before === 0) this.#add(subject, slot)
    this.#ends[slot] = end
    this.#settle(slot)
    this.#soonest = this.#ends[this.#heap[1]!]!
  }

  /** Removes a key that is here. Returns its slot. */
  delete(subject: string): number {
    const slot = this.#slots.get(subject)!
    const place = this.#places[slot]!
    const last = this.#heap[this.size]!
    this.#slots.delete(subject)
    this.#names[slot] = ''
    this.#places[slot] = 0
    if (last !== slot) {
      this.#put(last, place)
      this.#settle(last)
    }
    this.#soonest = this.size === 0 ? Number.POSITIVE_INFINITY : this.#ends[this.#heap[1]!]!
    return slot
  }

  /** The keys and their slots. */
  entries(): MapIterator<[string, number]> {
    return this.#slots.entries()
  }

  #add(subject: string, slot: number): void {
    this.#slots.set(subject, slot)
    while (this.#names.length <= slot) this.#names.push('')
    this.#names[slot] = subject
    this.#ends = withRoom(this.#ends, slot)
    this.#places = withRoom(this.#places, slot)
    this.#heap = withRoom(this.#heap, this.size)
    this.#put(slot, this.size)
  }

  /** Moves a slot up or down the heap to its place. */
  #settle(slot: number): void {
    const heap = this.#heap
    const ends = this.#ends
    const size = this.size
    const end = ends[slot]!
    let place = this.#places[slot]!
    for (let above = place >>> 1; above > 0 && ends[heap[above]!]! > end; above = place >>> 1) {
      this.#put(heap[above]!, place)
      place = above
    }
    for (let below = 2 * place; below <= size; below = 2 * place) {
      if (below < size && ends[heap[below + 1]!]! < ends[heap[below]!]!) below++
      if (ends[heap[below]!]! >= end) break
      this.#put(heap[below]!, place)
      place = below
    }
    this.#put(slot, place)
  }

  #put(slot: number, place: number): void {
    this.#heap[place] = slot
    this.#places[slot] = place
  }
}
