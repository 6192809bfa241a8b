/**
 * A bounded memo from text to a value. It forgets the entries that were not read lately.
 *
 * It has two generations. Entries are written to the young one. When the young one is full, it becomes the old one, and the
 * former old one is dropped. An entry found in the old one moves to the young one. So a flood of new texts costs at most
 * `size` entries, without an ordered list and without a timer.
 */
export class Memo<V extends NonNullable<unknown>> {
  readonly #half: number
  #young: Map<string, V> = new Map()
  #old: Map<string, V> = new Map()

  /** @param size the most entries that the memo keeps */
  constructor(size: number) {
    this.#half = Math.max(1, Math.floor(size / 2))
  }

  /** The remembered value, or undefined. Allocates nothing when the entry is in the young generation. */
  get(text: string): V | undefined {
    const young = this.#young.get(text)
    if (young !== undefined) return young
    const old = this.#old.get(text)
    if (old !== undefined) this.set(text, old)
    return old
  }

  set(text: string, value: V): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(detach(text), value)
  }

  /** The number of entries kept now. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}

/** Copies a text. V8 keeps a slice as a pointer, so a hop would keep its whole header of up to 16 KB in memory. */
export function detach(text: string): string {
  return ` ${text}`.slice(1)
}
