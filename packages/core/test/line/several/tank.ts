// A counter of the book: what it has left when units start, microsecond by microsecond, in whole numbers.
import type { Counter } from './counters.ts'

/** What a book takes for granted where a start does not tell when it was charged. */
export interface Reading {
  /** Whether units are charged, and forgotten by a sliding window, as early as they may be, and not as late. */
  readonly isEarly?: boolean
  /** How much later than its charge a start may come, in microseconds. On which side of a window's edge it counts, nobody knows then. */
  readonly apart?: number
}

/** A window or a period: its units, and its end. */
interface Open {
  readonly used: number
  readonly ends: number
}

/** One counter of one client, or of all. Instants must not go back. */
export class Tank {
  readonly counter: Counter
  // Bucket: units × window that are owed, as of an instant.
  #debt = 0
  #at = 0
  // Window, quota: each window that may be open. Sliding window: what still counts. Concurrency: when permits end.
  #open: readonly Open[] = [{ used: 0, ends: Number.NEGATIVE_INFINITY }]
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
    other.#open = this.#open
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
    if (kind === 'fixed' || kind === 'quota') {
      const each = this.#open.map(({ used, ends }) => (from >= ends || used + units <= limit ? from : ends))
      return this.#reading.isEarly === true ? Math.min(...each) : Math.max(...each)
    }
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
    const { kind, window, longest } = this.counter
    const { isEarly = false } = this.#reading
    if (kind === 'bucket') {
      // The line of a slower bucket lets its callers go on before they start.
      const chargedAt = isEarly ? Math.max(this.#at, askedAt) : at
      this.#debt = this.#debtAt(chargedAt) + units * window
      this.#at = chargedAt
    } else if (kind === 'fixed' || kind === 'quota') {
      const open = this.#open.flatMap(one => this.#after(one, at, units))
      this.#open = [...new Map(open.map(one => [`${one.used} ${one.ends}`, one])).values()]
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
    if (kind === 'fixed' || kind === 'quota')
      return Math.min(...this.#open.map(({ used, ends }) => (at >= ends ? limit : limit - used)))
    return limit - this.#log.reduce((sum, one) => sum + (one.at > at ? one.units : 0), 0)
  }

  /** The windows that may be open after a start, where one was. What does not fit into it was charged in the next one. */
  #after({ used, ends }: Open, at: number, units: number): Open[] {
    const { kind, window, limit } = this.counter
    const { apart = 0 } = this.#reading
    const fits = used + units <= limit
    // A quota's hours are those of the clock, and the world begins with one.
    const begun = kind === 'fixed' ? at + window : (Math.floor(Math.max(at, ends) / window) + 1) * window
    return [
      ...(at >= ends - apart || !fits ? [{ used: units, ends: begun }] : []),
      ...(at < ends + apart && fits ? [{ used: used + units, ends }] : []),
    ]
  }

  #debtAt(at: number): number {
    return Math.max(0, this.#debt - this.counter.limit * (at - this.#at))
  }
}
