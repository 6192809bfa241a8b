/** A key with many decisions, or with many refusals. */
export interface TopKey {
  readonly key: string
  /** Never too low, and too high by `excess` at most. */
  readonly count: number
  readonly excess: number
  /** The policy and the reason of the last of them. */
  readonly policy: string
  readonly reason: string
}
type Counter = { -readonly [K in keyof TopKey]: TopKey[K] }

/** How many keys are counted. */
const PLACES = 128

/**
 * The keys with the highest counts, in bounded memory (Space-Saving, Metwally et al. 2005): a new key replaces the key with the
 * lowest count and inherits that count. The table holds every key with more than 1 / 128 of all counts.
 */
export class TopKeys {
  readonly #counters = new Map<string, Counter>()

  count(key: string, policy: string, reason: string): void {
    const known = this.#counters.get(key)
    if (known !== undefined) {
      known.count++
      known.policy = policy
      known.reason = reason
      return
    }
    const excess = this.#counters.size < PLACES ? 0 : this.#dropLeast()
    this.#counters.set(key, { key, count: excess + 1, excess, policy, reason })
  }

  /** The keys with the highest counts first. */
  read(most: number): TopKey[] {
    return [...this.#counters.values()].sort((a, b) => b.count - a.count).slice(0, most)
  }

  #dropLeast(): number {
    let least: Counter | undefined
    for (const counter of this.#counters.values())
      if (least === undefined || counter.count < least.count) least = counter
    this.#counters.delete(least?.key ?? '')
    return least?.count ?? 0
  }
}
