/** What was seen before this is forgotten: clocks drift, and another server may have taken over. */
const WINDOW = 30e6

/**
 * How far this process's clock is ahead of the store's, microseconds.
 *
 * An answer can arrive late but never early, so the least difference seen lately is nearest to the truth: an answer that
 * was late counts from the instant at which the store gave it.
 */
export class ClockOffset {
  #smallest = Number.POSITIVE_INFINITY
  #next = Number.POSITIVE_INFINITY
  #rotatesAt = 0

  /** The present estimate; 0 before the first answer. */
  get value(): number {
    return this.#smallest === Number.POSITIVE_INFINITY ? 0 : this.#smallest
  }

  /**
   * Hears an answer, and gives the estimate.
   *
   * @param now this process's clock, microseconds
   * @param instant the store's clock at the decision, microseconds
   */
  observe(now: number, instant: number): number {
    const offset = now - instant
    if (now >= this.#rotatesAt) {
      this.#smallest = now >= this.#rotatesAt + WINDOW ? offset : this.#next
      this.#next = offset
      this.#rotatesAt = now + WINDOW
    }
    if (offset < this.#next) this.#next = offset
    if (offset < this.#smallest) this.#smallest = offset
    return this.#smallest
  }
}
