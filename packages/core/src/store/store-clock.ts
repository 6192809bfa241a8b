import { keptIn } from '../base/bounded-memory.ts'
import { isStrayPromise } from '../base/promises.ts'
import type { Store } from './contract.ts'

/** The latest instant of a clock, in microseconds: in the year 2243. A sum of it and any window is still exact. */
const LAST = 8.64e15

/** Whether a value is an instant in Unix microseconds. Nanoseconds are not. */
export function isInstant(micros: unknown): micros is number {
  return typeof micros === 'number' && micros >= 0 && micros <= LAST
}

/** Whether a value is an instant in Unix milliseconds. */
export function isMilliseconds(ms: unknown): ms is number {
  return typeof ms === 'number' && isInstant(ms * 1000)
}

/** Reads a clock of the application. Returns whole microseconds, or undefined if the clock shows no instant. */
export function readClock(clock: () => unknown): number | undefined {
  const ms = clock()
  if (isMilliseconds(ms)) return Math.floor(ms * 1000)
  isStrayPromise(ms)
  return undefined
}

// One per store, because an instant that one limiter or Control observes is true for the others.
const byStore = new WeakMap<object, StoreClock>()

/** This process's estimate of the clock of a store. All limiters, managers and Controls of the store share it. */
export function storeClockOf(store: Pick<Store, 'clock'>): StoreClock {
  return keptIn(byStore, store, () => new StoreClock(store))
}

/** This process's estimate of a store's clock. Calendars use it, and so do decisions that need no counter. */
export class StoreClock {
  readonly #store: Pick<Store, 'clock'>
  #hasOwnClock = false
  #offset = 0
  #observed = 0

  constructor(store: Pick<Store, 'clock'>) {
    this.#store = store
  }

  /** The store's time in Unix milliseconds: its own clock, else the system's plus the last known difference. */
  now(): number {
    const own = this.#ownTime()
    this.#hasOwnClock = own !== undefined
    return own ?? Date.now() + this.#offset
  }

  /** The store's own clock in whole microseconds; undefined if only a call of the store tells it. */
  ifKnown(): number | undefined {
    const own = this.#ownTime()
    return own === undefined ? undefined : Math.floor(own * 1000)
  }

  /** Notes the instant of an evaluation, in microseconds. A store without `clock()` shows its time only there. */
  observe(instant: number): void {
    // All groups of one call have the same instant.
    if (this.#hasOwnClock || instant === this.#observed || !isInstant(instant)) return
    this.#observed = instant
    this.#offset = instant / 1000 - Date.now()
  }

  // A value that is not an instant is ignored, and the system's clock is used instead.
  #ownTime(): number | undefined {
    try {
      const time: unknown = this.#store.clock?.()
      if (isMilliseconds(time)) return time
      isStrayPromise(time)
      return undefined
    } catch {
      return undefined
    }
  }
}
