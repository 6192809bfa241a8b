import { algorithmOf } from '../algorithms/index.ts'
import { keptIn } from '../base/bounded-memory.ts'
import type { CheckResult } from '../check/check-result.ts'
import { Decision } from '../check/decision.ts'
import type { Demand, Group, Store } from '../store/contract.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt, ruleInForce, lineOf, type UnitsInLine } from '../store/reading.ts'
import { Alarms } from './alarms.ts'
import { Askers, type Asking, type Pending } from './callers.ts'
import { Line, type LineParts } from './line.ts'
import { loneAt } from './places.ts'
import { TurnNews } from './turn-news.ts'

/** What all callers of a process share: one timer, and one bound on their number. */
export const waitingRoom: {
  readonly alarms: Alarms
  /** The number of callers that wait. */
  size: number
} = { alarms: new Alarms(), size: 0 }

/** The lines for a store, and its callers that ask again later. */
export class Lines {
  // By their counters, then by the tenants that share a counter, because each keeps its own order.
  readonly #lines = new Map<string, Map<string, Line>>()
  // By the sets of counters that they ask for.
  readonly #askers = new Map<string, Askers>()
  /** The latest news of the clocks by which tenants take turns. */
  readonly turns: TurnNews = new TurnNews()
  // The callers that wait for a permit, by its counter.
  readonly #freeable = new Map<string, Set<Asking>>()

  /** The line of the counter of the demand at an index. */
  of({ demands }: Group, at: number, parts: LineParts): Line {
    const key = keyOfDemand(demands[at]!)
    const tenant = tenantIn(demands, at)
    const ofCounter = keptIn(this.#lines, key, () => new Map<string, Line>())
    return keptIn(ofCounter, tenant, () => new Line(key, tenant, parts))
  }

  /** The units of the callers of this process for the same counters that came before one: in its line, and among those that ask again. */
  unitsBefore(caller: Pick<Pending, 'seq'>, group: Group): number {
    const { demands } = group
    const at = loneAt(group)
    const line = at < 0 ? undefined : this.#lines.get(keyOfDemand(demands[at]!))?.get(tenantIn(demands, at))
    return (line?.units ?? 0) + (this.askersFor(group)?.unitsBefore(caller) ?? 0)
  }

  isWaitedFor(demand: Demand): boolean {
    const ofCounter = this.#lines.get(keyOfDemand(demand))
    return ofCounter !== undefined && [...ofCounter.values()].some(({ units }) => units > 0)
  }

  /** Forgets a line in which nobody waits. */
  forget(line: Line): void {
    const ofCounter = this.#lines.get(line.key)
    if (ofCounter?.get(line.tenant) !== line) return
    ofCounter.delete(line.tenant)
    if (ofCounter.size === 0) this.#lines.delete(line.key)
  }

  /** The callers that ask again for the counters of a group. Undefined if there are none. */
  askersFor(group: Group): Askers | undefined {
    return this.#askers.size === 0 ? undefined : this.#askers.get(askingKeyOf(group))
  }

  /** The same, for a caller that joins them now. */
  askersOf(group: Group): Askers {
    const key = askingKeyOf(group)
    return keptIn(this.#askers, key, () => new Askers(() => this.#askers.delete(key)))
  }

  /** Hears an evaluation of a group. `sent` and `arrived` are instants of this process's clock. */
  observe({ demands }: Group, evaluation: Evaluation, sent: number, arrived: number): void {
    if (this.#lines.size === 0) return
    for (const [i, demand] of demands.entries()) {
      const ofCounter = this.#lines.get(keyOfDemand(demand))
      if (ofCounter === undefined) continue
      const rule = ruleInForce(demand, evaluation)
      const { now } = evaluationAt(evaluation, i)
      const charged = evaluation.allowed ? demand.cost : 0
      const reply = { state: evaluation.states[i] ?? [], rule, now, charged, sent, arrived }
      for (const line of Array.from(ofCounter.values())) line.observe(reply)
    }
  }

  /** Wakes a caller as soon as a unit of a counter is given back in this process. */
  onFreed(counter: string, caller: Asking): void {
    keptIn(this.#freeable, counter, () => new Set<Asking>()).add(caller)
  }

  /** Ends what {@link onFreed} began. */
  offFreed(counter: string, caller: Asking): void {
    const callers = this.#freeable.get(counter)
    callers?.delete(caller)
    if (callers?.size === 0) this.#freeable.delete(counter)
  }

  /** Tells that units were given back. */
  freed(demands: readonly Demand[]): void {
    if (this.#freeable.size === 0) return
    for (const demand of demands)
      // A caller that wakes may begin to wait again at once.
      for (const caller of Array.from(this.#freeable.get(keyOfDemand(demand)) ?? [])) caller.wake()
  }
}

// One per store, because all limiters of a store count on the same counters.
const byStore = new WeakMap<Store, Lines>()

/** The lines for a store. All its limiters share them. */
export function linesOf(store: Store): Lines {
  return keptIn(byStore, store, () => new Lines())
}

/** The counters of a refused check whose units can be given back at any time. */
export function freeableOf({ check: { demands }, evaluation: { passes } }: CheckResult): string[] {
  return demands.filter(({ rule }, i) => passes[i] !== true && algorithmOf(rule).isFlight).map(keyOfDemand)
}

/** The counter of the tenant of the demand at an index; `''` if it has none. */
function tenantIn(demands: readonly Demand[], at: number): string {
  return demands[at]!.terms?.share?.rule.counter ?? ''
}

/** The key of the counters for which callers ask. Those that leave different shares to others ask apart. */
function askingKeyOf({ demands }: Group): string {
  return demands
    .map((demand, at) => `${keyOfDemand(demand)} ${tenantIn(demands, at)} ${demand.terms?.headroom ?? ''}`)
    .join('\n')
}

/** The line of an identity at one moment. */
export interface LineStatus {
  /**
   * The units that wait, rounded up: over all processes in the longest of the lines in which a newcomer would stand. A settlement that
   * overdrew a bucket counts as well. The store knows the lines of token buckets. Otherwise, and while the store is away, these are the
   * units of `callers`.
   */
  readonly units: number
  /**
   * How many callers of the identity wait in this process for a turn by this limiter. Where one counter serves everybody, all its callers
   * count. A caller that the store is still being asked about does not count yet.
   */
  readonly callers: number
  /**
   * Milliseconds until the last of the units starts if nothing changes, rounded up; 0 if nobody waits. Undefined if nobody can know:
   * callers of windows, of quotas, of `concurrency` and with `headroom` have no places, and ask again.
   */
  readonly lastStartsInMs: number | undefined
}

/** The longest line that the store knows for an identity. Undefined if it knows none, or did not answer. */
export function longestLine(decision: Decision | undefined): UnitsInLine | undefined {
  const result = Decision.recordOf(decision)?.result
  if (result === undefined || result.degraded !== false) return undefined
  const { check, evaluation } = result
  const lines = check.policies.flatMap(
    (_, i) => lineOf(check.demands[i]!, evaluation.states[i] ?? [], evaluationAt(evaluation, i)) ?? [],
  )
  return lines.reduce<UnitsInLine | undefined>(
    (longest, line) => (longest === undefined || line.micros > longest.micros ? line : longest),
    undefined,
  )
}
