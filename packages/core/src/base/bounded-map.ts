/**
 * Drop the iterator after this many writes in a row that removed nothing, because it keeps the map's former table alive after
 * the map has grown.
 */
const IDLE_WRITES = 1_000

/**
 * A map with a maximum number of entries. Beyond that it removes the entry that was written longest ago.
 *
 * While the map is full, one iterator finds the oldest keys. A new iterator each time would have to skip every entry deleted
 * since the map last compacted itself: tens of thousands in a flood of keys.
 */
export class BoundedMap<V> {
  readonly #max: number
  readonly #entries = new Map<string, V>()
  #oldest: MapIterator<string> | undefined
  #idle = 0

  /** @param max the most entries that the map keeps */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  /** Writes an entry and makes it the newest. */
  set(key: string, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#max) this.#forgetOldest()
    else if (this.#oldest !== undefined && ++this.#idle > IDLE_WRITES) this.#oldest = undefined
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Iterates over the entries, the oldest first. */
  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.#entries.entries()
  }

  #forgetOldest(): void {
    this.#idle = 0
    // A rewritten entry moves to the end of the iteration, so the next key is still the oldest.
    let oldest = this.#oldest?.next().value
    if (oldest === undefined) {
      this.#oldest = this.#entries.keys()
      oldest = this.#oldest.next().value
    }
    this.#entries.delete(oldest as string)
  }
}
