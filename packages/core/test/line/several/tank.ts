// A counter of the book: what it has left when units start, microsecond by microsecond, in whole numbers.
import type { Counter } from './counters.ts'

/** One counter of one client, or of all. Instants must not go back. */
export class Tank {
  readonly counter: Counter
  // Bucket: units × window that are owed, as of an instant.
  #debt = 0
  #at = 0
  // Window, quota: the units of the window that began last. Sliding window: what still counts. Concurrency: when permits end.
  #used = 0
  #ends = Number.NEGATIVE_INFINITY
  #log: { readonly at: number; readonly units: number }[] = []
  readonly #isEarly: boolean

  /** @param isEarly whether a sliding window forgets a unit as early as it may, and not as late */
  constructor(counter: Counter, isEarly = false) {
    this.counter = counter
    this.#isEarly = isEarly
  }

  /** A tank in the same state. */
  copy(): Tank {
    const other = new Tank(this.counter, this.#isEarly)
    other.#debt = this.#debt
    other.#at = this.#at
    other.#used = this.#used
    other.#ends = this.#ends
    other.#log = [...this.#log]
    return other
  }

  /** The first instant from `from` on at which units fit. Infinity if they never do. */
  earliest(from: number, units: number): number {
    const { kind, limit, window, capacity } = this.counter
    if (units > capacity) return Number.POSITIVE_INFINITY
    if (kind === 'bucket') {
      const over = this.#debtAt(from) + (units - capacity) * window
      return over <= 0 ? from : from + Math.ceil(over / limit)
    }
    if (kind === 'fixed' || kind === 'quota')
      return from >= this.#ends || this.#used + units <= limit ? from : this.#ends
    // Those that count longest leave last.
    const counting = this.#log.filter(({ at }) => at > from)
    let free = limit - counting.reduce((sum, one) => sum + one.units, 0)
    let at = from
    for (const one of counting) {
      if (free >= units) break
      free += one.units
      at = one.at
    }
    return at
  }

  /** Takes units. @param held how long a permit of `concurrency` is held */
  take(at: number, units: number, held = 0): void {
    const { kind, window, longest } = this.counter
    if (kind === 'bucket') {
      this.#debt = this.#debtAt(at) + units * window
      this.#at = at
    } else if (kind === 'fixed' || kind === 'quota') {
      if (at >= this.#ends) {
        this.#used = 0
        // A quota's hours are those of the clock, and the world begins with one.
        this.#ends = kind === 'fixed' ? at + window : (Math.floor(at / window) + 1) * window
      }
      this.#used += units
    } else {
      this.#log = this.#log.filter(one => one.at > at)
      const counts = this.#isEarly ? window : longest
      this.#log.push({ at: at + (kind === 'concurrency' ? held : counts), units })
      this.#log.sort((a, b) => a.at - b.at)
    }
  }

  /** The units that are left. */
  left(at: number): number {
    const { kind, limit, window, capacity } = this.counter
    if (kind === 'bucket') return capacity - this.#debtAt(at) / window
    if (kind === 'fixed' || kind === 'quota') return at >= this.#ends ? limit : limit - this.#used
    return limit - this.#log.reduce((sum, one) => sum + (one.at > at ? one.units : 0), 0)
  }

  #debtAt(at: number): number {
    return Math.max(0, this.#debt - this.counter.limit * (at - this.#at))
  }
}
