import { type Demand, type Group, Mode } from '../store/contract.ts'
import { keyOf, keyOfDemand } from '../store/counter-key.ts'

const MAX_ENTRIES = 50_000
// Corrections scan this list, so it is short. Beyond it, charges are queued without their idempotency key.
const MAX_KEYED = 1_000

/** The charges that quotas made in this process during an outage, queued until the store gets them. Bounded. */
export class WriteBackQueue {
  readonly #pending = new Map<string, Demand>()
  // Calls with an idempotency key stay separate, because the store or another process may have charged the same call.
  readonly #keyed = new Map<string, Group>()

  get size(): number {
    return this.#pending.size + this.#keyed.size
  }

  /** Adds the charges of a call. */
  add({ demands, idempotency }: Group): void {
    const key = idempotency && keyOf(idempotency.subject, idempotency.counter)
    if (key !== undefined && this.#keyed.has(key)) return
    if (key === undefined || this.#keyed.size >= MAX_KEYED) {
      for (const demand of demands) this.#add(demand)
      return
    }
    this.#keyed.set(key, { demands: demands.map(demand => ({ ...demand, mode: Mode.SETTLE })), idempotency })
  }

  /** Corrects a pending charge. Returns the part already written back, which must be corrected in the store. */
  correct(demand: Demand): Demand | undefined {
    const key = keyOfDemand(demand)
    const pending = this.#pending.get(key)
    if (pending === undefined) return this.#correctKeyed(key, demand)
    if (!isOfPeriod(demand, pending)) return demand
    const cost = pending.cost + demand.cost
    if (cost > 0) this.#pending.set(key, { ...pending, cost })
    else this.#pending.delete(key)
    return cost < 0 ? { ...demand, cost } : undefined
  }

  /**
   * Takes a refund out of the pending charges of its part of the counter. Returns what the store must correct: the rest of the refund, and
   * the units that are held there. Undefined if that is nothing.
   */
  absorb(demand: Demand): Demand | undefined {
    const key = keyOfDemand(demand)
    const pending = demand.cost < 0 ? this.#pending.get(key) : undefined
    if (pending === undefined || pending.edges?.[1] !== demand.chargedTo) return demand
    const cost = pending.cost + demand.cost
    if (cost > 0) this.#pending.set(key, { ...pending, cost })
    else this.#pending.delete(key)
    return cost >= 0 && demand.terms?.held === undefined ? undefined : { ...demand, cost: Math.min(0, cost) }
  }

  /**
   * Removes all charges and returns the groups that write them to the store, without those whose period is over.
   *
   * @param now the store's clock, in microseconds
   */
  take(now: number): Group[] {
    const isCurrent = ({ cost, edges }: Demand): boolean =>
      cost > 0 && (edges === undefined || now < edges[1])
    const groups = [...this.#pending.values()].map((demand): Group => ({ demands: [demand] }))
    groups.push(...this.#keyed.values())
    this.#pending.clear()
    this.#keyed.clear()
    return groups
      .map(({ demands, idempotency }) => ({ demands: demands.filter(isCurrent), idempotency }))
      .filter(({ demands }) => demands.length > 0)
  }

  #add(demand: Demand): void {
    const key = keyOfDemand(demand)
    const before = this.#pending.get(key)
    if (before === undefined && this.#pending.size >= MAX_ENTRIES) return
    // A clock that is set back over the end of a period must not drop what was charged since.
    if (before?.edges !== undefined && demand.edges !== undefined && demand.edges[1] < before.edges[1]) return
    // The charges of the last period are dropped when a new period begins.
    const cost = demand.cost + (before?.edges?.[1] === demand.edges?.[1] ? (before?.cost ?? 0) : 0)
    this.#pending.set(key, { ...demand, mode: Mode.SETTLE, cost })
  }

  #correctKeyed(key: string, demand: Demand): Demand | undefined {
    for (const [name, group] of this.#keyed) {
      const at = group.demands.findIndex(
        pending => keyOfDemand(pending) === key && isOfPeriod(demand, pending),
      )
      if (at < 0) continue
      const cost = (group.demands[at] as Demand).cost + demand.cost
      const demands = group.demands.map((pending, i) =>
        i === at ? { ...pending, cost: Math.max(0, cost) } : pending,
      )
      this.#keyed.set(name, { ...group, demands })
      return cost < 0 ? { ...demand, cost } : undefined
    }
    return demand
  }
}

/** Whether a correction is of the period of a pending charge: a refund goes to the period that was charged, what is added to its own. */
function isOfPeriod({ cost, chargedTo, edges }: Demand, pending: Demand): boolean {
  return pending.edges?.[1] === (cost < 0 ? chargedTo : edges?.[1])
}
