import { detach } from './memo.ts'

/**
 * A bounded memo from two texts to a value, which forgets as a `Memo` does.
 *
 * Joined into one text, the two would have to be copied and hashed for each look-up. Few first texts are best, such as the names
 * of counters.
 */
export class PairMemo<V extends NonNullable<unknown>> {
  readonly #half: number
  #young: Map<string, Map<string, V>> = new Map()
  #old: Map<string, Map<string, V>> = new Map()
  #youngSize = 0
  #oldSize = 0

  /** @param size the most entries that the memo keeps */
  constructor(size: number) {
    this.#half = Math.max(1, Math.floor(size / 2))
  }

  /** The remembered value, or undefined. Allocates nothing when the entry is in the young generation. */
  get(first: string, second: string): V | undefined {
    const young = this.#young.get(first)?.get(second)
    if (young !== undefined) return young
    const old = this.#old.get(first)?.get(second)
    if (old !== undefined) this.set(first, second, old)
    return old
  }

  set(first: string, second: string, value: V): void {
    if (this.#youngSize >= this.#half) {
      this.#old = this.#young
      this.#oldSize = this.#youngSize
      this.#young = new Map()
      this.#youngSize = 0
    }
    let values = this.#young.get(first)
    if (values === undefined) this.#young.set(detach(first), (values = new Map()))
    const { size } = values
    values.set(detach(second), value)
    this.#youngSize += values.size - size
  }

  /** The number of entries kept now. */
  get size(): number {
    return this.#youngSize + this.#oldSize
  }
}
