/** How long an observation counts, in microseconds. Older ones are dropped, because clocks drift and servers fail over. */
const WINDOW = 30e6

/**
 * How far this process's clock is ahead of the store's clock, in microseconds.
 *
 * A reply can arrive late but never early, so the smallest recent difference is the best estimate. With it, a late reply counts
 * from the instant at which the store gave it.
 */
export class ClockOffset {
  #smallest = Number.POSITIVE_INFINITY
  #next = Number.POSITIVE_INFINITY
  #rotatesAt = 0

  /** The current estimate; 0 before the first reply. */
  get value(): number {
    return this.#smallest === Number.POSITIVE_INFINITY ? 0 : this.#smallest
  }

  /**
   * Observes a reply and returns the new estimate.
   *
   * @param now this process's clock, in microseconds
   * @param instant the store's clock at the decision, in microseconds
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
