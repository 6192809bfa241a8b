/** One of the keys that were refused most. */
export interface TopKey {
  readonly key: string
  /** Never less than the truth, and more by `excess` at most. */
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
 * The keys that were refused most, in bounded memory (Space-Saving, Metwally et al. 2005): a new key takes the place
 * of the least one and inherits its count. Any key with more than 1 / `places` of all refusals is among them.
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

  /** The first ones, most refused first. */
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
