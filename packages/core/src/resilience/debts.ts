import { type Demand, Mode } from '../store/contract.ts'
import { keyOfDemand } from '../store/key.ts'

const MOST = 50_000

/** What quotas charged in this process while the store was away, until it has been told. Bounded. */
export class Debts {
  readonly #owed = new Map<string, Demand>()

  get size(): number {
    return this.#owed.size
  }

  /** Adds a charge. */
  add(demand: Demand): void {
    const key = keyOfDemand(demand)
    const before = this.#owed.get(key)
    if (before === undefined && this.#owed.size >= MOST) return
    // A new period owes nothing of the last.
    const cost = demand.cost + (before?.edges?.[1] === demand.edges?.[1] ? (before?.cost ?? 0) : 0)
    this.#owed.set(key, { ...demand, mode: Mode.SETTLE, cost })
  }

  /** Corrects a charge; gives what of that is not owed any more, so that only the store can correct it. */
  correct(demand: Demand): Demand | undefined {
    const key = keyOfDemand(demand)
    const owed = this.#owed.get(key)
    if (owed === undefined) return demand
    const cost = owed.cost + demand.cost
    if (cost > 0) this.#owed.set(key, { ...owed, cost })
    else this.#owed.delete(key)
    return cost < 0 ? { ...demand, cost } : undefined
  }

  /**
   * The demands that write it all to the store. Hands each out once, and not at all when its period is over.
   *
   * @param now the store's, microseconds
   */
  take(now: number): Demand[] {
    const demands = [...this.#owed.values()].filter(({ edges }) => edges === undefined || now < edges[1])
    this.#owed.clear()
    return demands
  }
}
