/** What was seen before this is forgotten: clocks drift, and another server may have taken over. */
const LASTS = 30e6

/**
 * How far this process's clock is ahead of the store's, microseconds.
 *
 * An answer can arrive late but never early, so the least difference seen lately is nearest to the truth: an answer that
 * was late counts from the instant at which the store gave it.
 */
export class ClockOffset {
  #least = Number.POSITIVE_INFINITY
  #next = Number.POSITIVE_INFINITY
  #turn = 0

  /** The present estimate; 0 before the first answer. */
  get value(): number {
    return this.#least === Number.POSITIVE_INFINITY ? 0 : this.#least
  }

  /**
   * Hears an answer, and gives the estimate.
   *
   * @param now this process's clock, microseconds
   * @param instant the store's clock at the decision, microseconds
   */
  hear(now: number, instant: number): number {
    const offset = now - instant
    if (now >= this.#turn) {
      this.#least = now >= this.#turn + LASTS ? offset : this.#next
      this.#next = offset
      this.#turn = now + LASTS
    }
    if (offset < this.#next) this.#next = offset
    if (offset < this.#least) this.#least = offset
    return this.#least
  }
}
