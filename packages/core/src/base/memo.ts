/**
 * A bounded memo from text to a value, which forgets what was not asked for lately.
 *
 * Two generations: the young one is written until it is full, then it becomes the old one and the old one is
 * dropped. What is found in the old one moves to the young one. So a flood of new texts costs no more than
 * `size` entries, and needs neither a list to keep in order nor a timer.
 */
export class Memo<V extends NonNullable<unknown>> {
  readonly #half: number
  #young: Map<string, V> = new Map()
  #old: Map<string, V> = new Map()

  /** @param size the most entries it keeps */
  constructor(size: number) {
    this.#half = Math.max(1, Math.floor(size / 2))
  }

  /** The remembered value. Allocates nothing when it is young. */
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

  /** How many entries it keeps now. */
  get size(): number {
    return this.#young.size + this.#old.size
  }
}

/** A copy of a text that holds nothing else: V8 keeps a slice as a pointer into the whole, a hop into its 16 KB header. */
export function detach(text: string): string {
  return ` ${text}`.slice(1)
}
