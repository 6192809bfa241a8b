/** A number of things, and their load together. */
export interface Load {
  readonly count: number
  readonly load: number
}

/** The calls of one period that have no reply yet. */
export interface PendingCount {
  count: number
  load: number
}

/** A call that has been pending for two periods is no longer counted, because its reply may never come. Milliseconds. */
export const PERIOD_MS = 500

/** Counts the calls that have no reply yet, and their load. */
export class PendingCalls implements Load {
  #current: PendingCount = { count: 0, load: 0 }
  #previous: PendingCount = { count: 0, load: 0 }
  #since = 0

  get count(): number {
    return this.#current.count + this.#previous.count
  }

  get load(): number {
    return this.#current.load + this.#previous.load
  }

  /**
   * Leaves out the calls that have been pending for two periods.
   *
   * @param now performance.now()
   */
  forgetOld(now: number): void {
    const age = now - this.#since
    if (age < PERIOD_MS) return
    this.#previous = age < 2 * PERIOD_MS ? this.#current : { count: 0, load: 0 }
    this.#current = { count: 0, load: 0 }
    this.#since = now
  }

  /** Adds a call that is sent now. Returns the count to pass to {@link settled}. */
  sent(load: number, now: number): PendingCount {
    this.forgetOld(now)
    const pending = this.#current
    pending.count++
    pending.load += load
    return pending
  }

  /** Removes a call that was answered or has failed. */
  settled(pending: PendingCount, load: number): void {
    pending.count--
    pending.load -= load
  }
}
