import { algorithmOf } from '../algorithms/index.ts'
import { Alarms } from './alarms.ts'
import type { CheckResult } from '../check/check-result.ts'
import type { Demand, Group, Store } from '../store/contract.ts'
import { keyOf, keyOfDemand } from '../store/counter-key.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt, ruleInForce } from '../store/reading.ts'
import { Front, type FrontUser } from './front.ts'
import { canStand } from './in-line.ts'
import { Line, type LineParts } from './line.ts'
import type { Asking } from './standing.ts'
import { TurnNews } from './turn-news.ts'

/** What all callers of a process share: one timer, and one bound on their number. */
export class WaitingRoom {
  readonly alarms: Alarms = new Alarms()
  /** The number of callers that wait. */
  size = 0
}

/** The waiting room of this process. */
export const waitingRoom: WaitingRoom = new WaitingRoom()

/** The lines for a store, by the counters that their callers wait for. */
export class Lines {
  readonly #lines = new Map<string, Line>()
  readonly #fronts = new Map<string, Front>()
  /** The latest news of the clocks by which tenants take turns. */
  readonly turns: TurnNews = new TurnNews()
  // The callers that wait for a permit, by its counter.
  readonly #freeable = new Map<string, Set<Asking>>()

  /** The line of the counters of a group. */
  of({ demands }: Group, parts: LineParts): Line {
    const key = demands.length === 1 ? lineKeyOf(demands[0]!) : demands.map(lineKeyOf).join('\n')
    let line = this.#lines.get(key)
    if (line === undefined) {
      const fronts = demands.filter(canStand).map(demand => this.#front(keyOfDemand(demand)))
      line = new Line(key, fronts, parts)
      for (const front of fronts) front.lines.add(line)
      this.#lines.set(key, line)
    }
    return line
  }

  /** Forgets a line in which nobody waits. */
  forget(line: Line): void {
    if (this.#lines.get(line.key) !== line) return
    this.#lines.delete(line.key)
    for (const front of line.fronts) {
      front.lines.delete(line)
      if (front.lines.size === 0) this.#fronts.delete(front.key)
    }
  }

  /** Hears an evaluation of a group. `sent` and `arrived` are instants of this process's clock. */
  heard({ demands }: Group, evaluation: Evaluation, sent: number, arrived: number): void {
    if (this.#fronts.size === 0) return
    const told = new Map<FrontUser, boolean>()
    for (const [i, demand] of demands.entries()) {
      const front = canStand(demand) ? this.#fronts.get(keyOfDemand(demand)) : undefined
      const rule = ruleInForce(demand, evaluation)
      const { now } = evaluationAt(evaluation, i)
      const charged = evaluation.allowed ? demand.cost : 0
      const isSlower = front?.hear({ state: evaluation.states[i] ?? [], rule, now, charged, sent, arrived })
      if (isSlower !== undefined)
        for (const line of front!.lines) told.set(line, isSlower || told.get(line) === true)
    }
    for (const [line, isSlower] of told) line.heard(isSlower)
  }

  /** Wakes a caller as soon as a unit of a counter is given back in this process. */
  onFreed(counter: string, caller: Asking): void {
    const callers = this.#freeable.get(counter)
    if (callers === undefined) this.#freeable.set(counter, new Set([caller]))
    else callers.add(caller)
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

  #front(key: string): Front {
    let front = this.#fronts.get(key)
    if (front === undefined) this.#fronts.set(key, (front = new Front(key)))
    return front
  }
}

// One per store, because all limiters of a store count on the same counters.
const byStore = new WeakMap<Store, Lines>()

/** The lines for a store. All its limiters share them. */
export function linesOf(store: Store): Lines {
  let lines = byStore.get(store)
  if (lines === undefined) byStore.set(store, (lines = new Lines()))
  return lines
}

/** The counters of a refused check whose units can be given back at any time. */
export function freeableOf({ check: { demands }, evaluation: { passes } }: CheckResult): string[] {
  return demands.flatMap((demand, i) => {
    const { rule, subject, terms } = demand
    if (passes[i] === true || !algorithmOf(rule).isFlight) return []
    // Another tenant's permit helps a tenant whose share of the pool refuses.
    const pool = terms?.share?.pool
    return pool === undefined ? [keyOfDemand(demand)] : [keyOfDemand(demand), keyOf(subject, pool)]
  })
}

/** The key of the line in which a demand waits. Callers that leave different shares to others stand in different lines. */
function lineKeyOf(demand: Demand): string {
  const floor = demand.terms?.floor ?? 0
  return floor > 0 ? `${keyOfDemand(demand)} ${floor}` : keyOfDemand(demand)
}
