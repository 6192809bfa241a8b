import { detach } from '../../base/memo.ts'

/** A frequent key. */
export interface HeavyKey {
  readonly key: string
  /** An upper bound on how often the key was added. */
  readonly count: number
  /** How much of `count` may belong to other keys. The key was added at least `count - error` times. */
  readonly error: number
}

/**
 * The most frequent keys, in a bounded table: the Space-Saving algorithm. A key that was added more than `total / size` times is
 * always in the table. Its count is never too low, and too high by at most `error`.
 */
export class HeavyKeys {
  readonly #size: number
  readonly #counts = new Map<string, { count: number; error: number }>()

  /** @param size the maximum number of keys in the table */
  constructor(size: number) {
    this.#size = size
  }

  add(key: string): void {
    const known = this.#counts.get(key)
    if (known !== undefined) known.count++
    else if (this.#counts.size < this.#size) this.#counts.set(detach(key), { count: 1, error: 0 })
    else this.#replace(key)
  }

  /** The most frequent keys, the most frequent first. */
  top(most: number): HeavyKey[] {
    const all = [...this.#counts].map(([key, { count, error }]) => ({ key, count, error }))
    // Among equal counts, the key with the smaller error comes first.
    return all.sort((a, b) => b.count - a.count || a.error - b.error).slice(0, most)
  }

  // The new key replaces the least frequent key and inherits its count.
  #replace(key: string): void {
    let rarest = ''
    let least = Number.POSITIVE_INFINITY
    for (const [other, { count }] of this.#counts) {
      if (count >= least) continue
      rarest = other
      least = count
    }
    this.#counts.delete(rarest)
    this.#counts.set(detach(key), { count: least + 1, error: least })
  }
}
