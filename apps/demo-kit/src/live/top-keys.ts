/** A key with many refusals. */
export interface TopKey {
  readonly key: string
  /** The number of refusals: never too low, and too high by `excess` at most. */
  readonly refused: number
  readonly excess: number
  readonly policy: string
  readonly reason: string
}

interface Counter {
  readonly excess: number
  refused: number
  policy: string
  reason: string
}

/**
 * The keys with the most refusals, in bounded memory (Space-Saving, Metwally et al. 2005): a new key replaces the key with
 * the lowest count and inherits that count. The table holds every key with more than 1 / `places` of all refusals.
 */
export class TopKeys {
  readonly #places: number
  readonly #counters = new Map<string, Counter>()

  constructor(places = 64) {
    this.#places = places
  }

  count(key: string, policy: string, reason: string): void {
    const known = this.#counters.get(key)
    if (known !== undefined) {
      known.refused++
      known.policy = policy
      known.reason = reason
      return
    }
    const excess = this.#counters.size < this.#places ? 0 : this.#dropLeast()
    this.#counters.set(key, { excess, refused: excess + 1, policy, reason })
  }

  /** The keys with the most refusals first. */
  read(most: number): TopKey[] {
    return [...this.#counters]
      .map(([key, counter]) => ({ key, ...counter }))
      .sort((a, b) => b.refused - a.refused)
      .slice(0, most)
  }

  #dropLeast(): number {
    let least: [string, Counter] | undefined
    for (const entry of this.#counters)
      if (least === undefined || entry[1].refused < least[1].refused) least = entry
    if (least === undefined) return 0
    this.#counters.delete(least[0])
    return least[1].refused
  }
}
