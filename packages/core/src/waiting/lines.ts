import { Alarms } from '../base/alarms.ts'
import type { Demand, Store } from '../store/contract.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import { type Asker, Line } from './line.ts'

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
  readonly #freeable = new Map<string, Set<Asker>>()

  /** The line of some counters, if somebody waits for them. */
  find(key: string): Line | undefined {
    return this.#lines.get(key)
  }

  /** The line of some counters. */
  of(key: string): Line {
    let line = this.#lines.get(key)
    if (line === undefined) this.#lines.set(key, (line = new Line(waitingRoom.alarms)))
    return line
  }

  /** Forgets a line in which nobody stands. */
  forgetEmpty(key: string): void {
    if (this.#lines.get(key)?.isEmpty === true) this.#lines.delete(key)
  }

  /** Wakes a caller as soon as a unit of a counter is given back in this process. Returns the function that ends that. */
  onFreed(counter: string, asker: Asker): () => void {
    const askers = this.#freeable.get(counter) ?? new Set()
    this.#freeable.set(counter, askers.add(asker))
    return () => {
      askers.delete(asker)
      if (askers.size === 0 && this.#freeable.get(counter) === askers) this.#freeable.delete(counter)
    }
  }

  /** Tells that units were given back. */
  freed(demands: readonly Demand[]): void {
    if (this.#freeable.size === 0) return
    for (const demand of demands)
      for (const asker of this.#freeable.get(keyOfDemand(demand)) ?? []) asker.wake()
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
