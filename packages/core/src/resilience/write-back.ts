import { type Demand, type Group, type IdempotencyDemand, Mode } from '../store/contract.ts'
import { keyOf, keyOfDemand } from '../store/counter-key.ts'

const MAX_ENTRIES = 50_000
// Corrections scan this list, so it is short. Beyond it, charges are queued without their idempotency key.
const MAX_KEYED = 1_000

/** The charges that quotas made in this process during an outage, queued until the store gets them. Bounded. */
export class WriteBackQueue {
  // By counter: a charge for each period. Policies that share a counter may have periods of their own.
  readonly #pending = new Map<string, readonly Demand[]>()
  // Calls with an idempotency key stay separate, because the store or another process may have charged the same call.
  readonly #keyed = new Map<string, Group>()
  // By counter and period: the units of which nobody knows whether the store was told.
  readonly #doubtful = new Map<string, Demand>()

  get size(): number {
    return this.#pending.size + this.#keyed.size
  }

  add({ demands, idempotency }: Group): void {
    const key = idempotency && nameOf(idempotency)
    if (key !== undefined && this.#keyed.has(key)) return
    if (key === undefined || this.#keyed.size >= MAX_KEYED) {
      for (const demand of demands) this.#add(demand)
      return
    }
    this.#keyed.set(key, { demands: demands.map(demand => ({ ...demand, mode: Mode.SETTLE })), idempotency })
  }

  /**
   * Corrects a pending charge. Returns the part already written back, which must be corrected in the store.
   *
   * @param idempotency the key of the call that was charged
   */
  correct(demand: Demand, idempotency?: IdempotencyDemand): Demand | undefined {
    const own = idempotency === undefined ? demand : this.#correctKeyed(nameOf(idempotency), demand)
    const rest = own && this.#correctPending(own, endOf(own))
    return rest && this.#correctDoubtful(rest)
  }

  /**
   * Notes charges that the store was told of without a reply. They are not told again. What is refunded of them is not refunded in the
   * store, because it could be what others have charged there.
   */
  doubt({ demands }: Group): void {
    for (const demand of demands) {
      const key = keyOfCharge(demand)
      const cost = demand.cost + (this.#doubtful.get(key)?.cost ?? 0)
      if (this.#doubtful.size < MAX_ENTRIES || this.#doubtful.has(key))
        this.#doubtful.set(key, { ...demand, cost })
    }
  }

  /**
   * Takes a refund out of the pending charges of its part of the counter. Returns what the store must correct: the rest of the refund, and
   * the units that are held there. Undefined if that is nothing.
   */
  absorb(demand: Demand): Demand | undefined {
    if (demand.cost >= 0) return demand
    const rest = this.#correctPending(demand, demand.chargedTo)
    if (rest !== undefined) return rest
    return demand.terms?.held === undefined ? undefined : { ...demand, cost: 0 }
  }

  /**
   * Removes some charges and returns the groups that write them to the store, without those whose period is over. A call whose charge was
   * refunded writes its key alone, so that a repeat is not charged. Empty when no charge is left.
   *
   * @param now the store's clock, in microseconds
   * @param most about how many groups are returned
   */
  take(now: number, most: number): Group[] {
    const isCurrent = ({ edges }: Demand): boolean => edges === undefined || now < edges[1]
    const groups: Group[] = []
    const add = (demands: readonly Demand[], idempotency?: IdempotencyDemand): void => {
      const current = demands.filter(isCurrent)
      if (current.length > 0) groups.push({ demands: current.filter(({ cost }) => cost > 0), idempotency })
    }
    for (const [key, demands] of this.#pending) {
      if (groups.length >= most) return groups
      this.#pending.delete(key)
      for (const demand of demands) add([demand])
    }
    for (const [key, { demands, idempotency }] of this.#keyed) {
      if (groups.length >= most) return groups
      this.#keyed.delete(key)
      add(demands, idempotency)
    }
    for (const [key, demand] of this.#doubtful) if (!isCurrent(demand)) this.#doubtful.delete(key)
    return groups
  }

  #add(demand: Demand): void {
    const key = keyOfDemand(demand)
    const before = this.#pending.get(key) ?? []
    if (before.length === 0 && this.#pending.size >= MAX_ENTRIES) return
    const end = endOf(demand)
    const own = before.find(pending => endOf(pending) === end)
    const cost = demand.cost + (own?.cost ?? 0)
    // The charges of a period that is over are dropped when a new one begins.
    const others = before.filter(pending => pending !== own && !isOver(pending, demand))
    this.#pending.set(key, [...others, { ...demand, mode: Mode.SETTLE, cost }])
  }

  /** Corrects the pending charge of a period. Returns the rest of the correction. */
  #correctPending(demand: Demand, end: number | undefined): Demand | undefined {
    const key = keyOfDemand(demand)
    const before = this.#pending.get(key) ?? []
    const own = before.find(pending => endOf(pending) === end)
    if (own === undefined) return demand
    const cost = own.cost + demand.cost
    const others = before.filter(pending => pending !== own)
    if (cost > 0) this.#pending.set(key, [...others, { ...own, cost }])
    else if (others.length > 0) this.#pending.set(key, others)
    else this.#pending.delete(key)
    return cost < 0 ? { ...demand, cost } : undefined
  }

  /** Takes a refund out of the doubtful charges of its period. Returns the rest of it. */
  #correctDoubtful(demand: Demand): Demand | undefined {
    const key = keyOfCharge(demand)
    const before = demand.cost < 0 ? this.#doubtful.get(key) : undefined
    if (before === undefined) return demand
    const cost = before.cost + demand.cost
    if (cost > 0) this.#doubtful.set(key, { ...before, cost })
    else this.#doubtful.delete(key)
    return cost < 0 ? { ...demand, cost } : undefined
  }

  #correctKeyed(name: string, demand: Demand): Demand | undefined {
    const group = this.#keyed.get(name)
    const own = group?.demands.find(
      pending => keyOfDemand(pending) === keyOfDemand(demand) && pending.edges?.[1] === endOf(demand),
    )
    if (group === undefined || own === undefined) return demand
    const cost = own.cost + demand.cost
    const corrected = { ...own, cost: Math.max(0, cost) }
    this.#keyed.set(name, {
      ...group,
      demands: group.demands.map(pending => (pending === own ? corrected : pending)),
    })
    return cost < 0 ? { ...demand, cost } : undefined
  }
}

/** The end of the period that a demand is of: a refund goes to the period that was charged, what is added to its own. */
function endOf({ cost, chargedTo, edges }: Demand): number | undefined {
  return cost < 0 ? chargedTo : edges?.[1]
}

/** Whether the period of a charge was over when that of a later one began. A clock that is set back ends none. */
function isOver({ edges }: Demand, later: Demand): boolean {
  return edges !== undefined && later.edges !== undefined && edges[1] <= later.edges[0]
}

function keyOfCharge(demand: Demand): string {
  return `${keyOfDemand(demand)} ${endOf(demand)}`
}

function nameOf({ subject, counter }: IdempotencyDemand): string {
  return keyOf(subject, counter)
}
