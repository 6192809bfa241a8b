/**
 * A map of at most so many entries, which forgets the one that was written longest ago.
 *
 * It goes through its keys with one iterator for ever: a new one would have to step over all that was deleted since the
 * map last cleaned itself up, which under a flood of keys is tens of thousands.
 */
export class Bounded<V> {
  readonly #max: number
  readonly #entries = new Map<string, V>()
  #oldest = this.#entries.keys()

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
    if (this.#entries.size <= this.#max) return
    // What is written anew comes again at its end, so what it gives is still the oldest.
    let { value: oldest } = this.#oldest.next()
    if (oldest === undefined) {
      this.#oldest = this.#entries.keys()
      oldest = this.#oldest.next().value
    }
    this.#entries.delete(oldest as string)
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
    this.#oldest = this.#entries.keys()
  }

  /** The entries, the oldest first. */
  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.#entries.entries()
  }
}
