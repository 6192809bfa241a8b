import { Alarms } from '../base/alarms.ts'
import type { Demand, Store } from '../store/contract.ts'
import { algorithmOf } from '../algorithms/index.ts'
import type { CheckResult } from '../check/check-result.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import { type Asking, Line } from './line.ts'

/** What all callers of a process share: one timer, and one bound on their number. */
export class WaitingRoom {
  readonly alarms: Alarms = new Alarms()
  /** The number of callers that ask or wait. */
  size = 0
}

/** The waiting room of this process. */
export const waitingRoom: WaitingRoom = new WaitingRoom()

/** The lines for a store, by the counters that their callers wait for. */
export class Lines {
  readonly #lines = new Map<string, Line>()
  // The callers that wait for a place in flight, by its counter.
  readonly #freeable = new Map<string, Set<Asking>>()

  /** The line of some counters, if somebody waits for them. */
  find(key: string): Line | undefined {
    return this.#lines.get(key)
  }

  /** The line of some counters. */
  of(key: string): Line {
    let line = this.#lines.get(key)
    if (line === undefined) this.#lines.set(key, (line = new Line(key)))
    return line
  }

  /** Forgets a line in which nobody stands. */
  forgetEmpty(key: string): void {
    if (this.#lines.get(key)?.isEmpty === true) this.#lines.delete(key)
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
  return demands
    .filter(({ rule }, i) => passes[i] !== true && algorithmOf(rule).isFlight)
    .map(demand => keyOfDemand(demand))
}

/** The key of the line in which a demand waits. Callers that leave different shares to others stand in different lines. */
export function lineKeyOf(demand: Demand): string {
  const floor = demand.terms?.floor ?? 0
  return floor > 0 ? `${keyOfDemand(demand)} ${floor}` : keyOfDemand(demand)
}
