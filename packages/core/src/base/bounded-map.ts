/** After so many writes that push nothing out the iterator is let go: it holds all that the map was before it grew. */
const IDLE = 1_000

/**
 * A map of at most so many entries, which forgets the one that was written longest ago.
 *
 * While it is full it goes through its keys with one iterator: a new one each time would have to step over all that was
 * deleted since the map last cleaned itself up, which under a flood of keys is tens of thousands.
 */
export class BoundedMap<V> {
  readonly #max: number
  readonly #entries = new Map<string, V>()
  #oldest: MapIterator<string> | undefined
  #idle = 0

  /** @param max the most entries it keeps */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  /** Writes an entry, as the newest. */
  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#max) this.#forgetOldest()
    else if (this.#oldest !== undefined && ++this.#idle > IDLE) this.#oldest = undefined
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** The entries, the oldest first. */
  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.#entries.entries()
  }

  #forgetOldest(): void {
    this.#idle = 0
    // What is written anew comes again at its end, so what it gives is still the oldest.
    let oldest = this.#oldest?.next().value
    if (oldest === undefined) {
      this.#oldest = this.#entries.keys()
      oldest = this.#oldest.next().value
    }
    this.#entries.delete(oldest as string)
  }
}
