// A counter of the book: what it has left when units start, microsecond by microsecond, in whole numbers.
import type { Counter } from './counters.ts'

/** What a book takes for granted where a start does not tell when it was charged. */
export interface Reading {
  /** Whether units are charged, and forgotten by a sliding window, as early as they may be, and not as late. */
  readonly isEarly?: boolean
  /** How much later than a window after its first start a window ends, in microseconds. Below 0 it ends earlier. */
  readonly edge?: number
}

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
  readonly #reading: Reading

  constructor(counter: Counter, reading: Reading = {}) {
    this.counter = counter
    this.#reading = reading
  }

  /** A tank in the same state. */
  copy(): Tank {
    const other = new Tank(this.counter, this.#reading)
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

  /**
   * Takes units.
   *
   * @param held how long a permit of `concurrency` is held
   * @param askedAt the first instant at which they may have been charged
   */
  take(at: number, units: number, held = 0, askedAt = at): void {
    const { kind, window, longest, limit } = this.counter
    const { isEarly = false, edge = 0 } = this.#reading
    if (kind === 'bucket') {
      // The line of a slower bucket lets its callers go on before they start.
      const chargedAt = isEarly ? Math.max(this.#at, askedAt) : at
      this.#debt = this.#debtAt(chargedAt) + units * window
      this.#at = chargedAt
    } else if (kind === 'fixed' || kind === 'quota') {
      // What does not fit any more is of the next window, although its start comes a little before the end of this one.
      if (at >= this.#ends + edge || this.#used + units > limit) {
        this.#used = 0
        // A quota's hours are those of the clock, and the world begins with one.
        this.#ends =
          kind === 'fixed' ? at + window : (Math.floor(Math.max(at, this.#ends) / window) + 1) * window
      }
      this.#used += units
    } else {
      this.#log = this.#log.filter(one => one.at > at)
      const counts = isEarly ? window : longest
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
