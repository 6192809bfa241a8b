import { detach } from '../../base/memo.ts'

/** A key that comes often. */
export interface HeavyKey {
  readonly key: string
  /** How often it came, at the most. */
  readonly count: number
  /** How much of `count` may be another key's: it came at least `count - error` times. */
  readonly error: number
}

/**
 * The keys that come most often, in a bounded table: Space-Saving. A key that came more than `total / size` times is in
 * it, whatever else came; its count is never too low, and too high by `error` at most.
 */
export class HeavyKeys {
  readonly #size: number
  readonly #counts = new Map<string, { count: number; error: number }>()

  /** @param size the most keys it keeps */
  constructor(size: number) {
    this.#size = size
  }

  add(key: string): void {
    const known = this.#counts.get(key)
    if (known !== undefined) known.count++
    else if (this.#counts.size < this.#size) this.#counts.set(detach(key), { count: 1, error: 0 })
    else this.#replace(key)
  }

  /** The most frequent ones, the first first. */
  top(most: number): HeavyKey[] {
    const all = [...this.#counts].map(([key, { count, error }]) => ({ key, count, error }))
    // Of two alike, that which is surer.
    return all.sort((a, b) => b.count - a.count || a.error - b.error).slice(0, most)
  }

  // The newcomer takes the place, and the count, of the rarest.
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
