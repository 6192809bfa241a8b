/** The calls that went out in one stretch of time, and are not answered yet. */
export interface PendingCount {
  calls: number
  load: number
}

// A call that is out for twice as long counts no more: it may never come back.
const PERIOD_MS = 500

/** The calls that are out, and the work that they hold. */
export class PendingCalls {
  #current: PendingCount = { calls: 0, load: 0 }
  #previous: PendingCount = { calls: 0, load: 0 }
  #since = 0

  get calls(): number {
    return this.#current.calls + this.#previous.calls
  }

  get load(): number {
    return this.#current.load + this.#previous.load
  }

  /** Counts a call in. */
  sent(load: number, now: number): PendingCount {
    const age = now - this.#since
    if (age >= PERIOD_MS) {
      this.#previous = age < 2 * PERIOD_MS ? this.#current : { calls: 0, load: 0 }
      this.#current = { calls: 0, load: 0 }
      this.#since = now
    }
    const count = this.#current
    count.calls++
    count.load += load
    return count
  }

  /** Counts a call out. */
  settled(count: PendingCount, load: number): void {
    count.calls--
    count.load -= load
  }
}
