/** How many calls of one period have no reply yet, and their load. */
export interface PendingCount {
  calls: number
  load: number
}

// A call that has been pending for two periods is no longer counted, because its reply may never come.
const PERIOD_MS = 500

/** Counts the calls that have no reply yet, and their load in units of loadOf. */
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

  /** Adds a call that is sent now. Returns the count to pass to {@link settled}. */
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

  /** Removes a call that was answered or has failed. */
  settled(count: PendingCount, load: number): void {
    count.calls--
    count.load -= load
  }
}
