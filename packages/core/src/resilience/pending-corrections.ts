import { algorithmOf } from '../algorithms/index.ts'
import type { Demand, Group } from '../store/contract.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import { BoundedMap } from '../base/bounded-map.ts'

const MAX_ENTRIES = 10_000

interface Correction {
  readonly demand: Demand
  /** From when on it corrects nothing any more, by this process's clock, microseconds; of quotas the period says it. */
  readonly until: number
}

/**
 * Releases, refunds and other corrections that the store has certainly not made, until it is back. Bounded: the one that
 * was added to longest ago goes first.
 */
export class PendingCorrections {
  readonly #pending = new BoundedMap<Correction>(MAX_ENTRIES)

  get size(): number {
    return this.#pending.size
  }

  /**
   * Adds what a call would have corrected.
   *
   * @param now this process's clock, microseconds
   */
  add({ demands }: Group, now: number): void {
    for (const demand of demands) {
      // What went to one part of a counter is one correction, however many requests it was.
      const key = `${keyOfDemand(demand)} ${demand.chargedTo ?? 0}`
      const cost = demand.cost + (this.#pending.get(key)?.demand.cost ?? 0)
      if (cost === 0) this.#pending.delete(key)
      else this.#pending.set(key, { demand: { ...demand, cost }, until: now + correctableFor(demand) })
    }
  }

  /** Drops those that come too late. */
  dropLate(now: number): void {
    for (const [key, { until }] of this.#pending) if (now >= until) this.#pending.delete(key)
  }

  /**
   * The groups that make them, each of one demand. Hands each out once, and not at all when it is too late.
   *
   * @param now this process's clock, microseconds
   * @param storeNow the store's, microseconds
   */
  take(now: number, storeNow: number): Group[] {
    const groups: Group[] = []
    for (const [key, { demand, until }] of this.#pending) {
      this.#pending.delete(key)
      const { edges } = demand
      if (edges === undefined ? now < until : storeNow < edges[1]) groups.push({ demands: [demand] })
    }
    return groups
  }
}

/** For how long what was charged counts: afterwards a refund gives nothing back, and a charge would be another window's. */
function correctableFor({ rule }: Demand): number {
  return algorithmOf(rule).correctableFor(rule)
}
