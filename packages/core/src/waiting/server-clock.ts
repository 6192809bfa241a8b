/**
 * The clock of the server that holds a counter, as this process knows it.
 *
 * A reply was made after its question was sent and before it arrived, so each reply bounds the difference of the two clocks from both
 * sides. Where a new bound contradicts the old ones, the server's clock was set, or another server has taken over.
 */
export class ServerClock {
  // The difference, this process's clock less the server's, lies between these. Microseconds.
  #least = Number.NEGATIVE_INFINITY
  #most = Number.POSITIVE_INFINITY
  /** By how much the server's clock was set forward so far, in microseconds. */
  skipped = 0

  /** Whether a reply contradicts the earlier ones: another clock made it. */
  contradicts(sent: number, arrived: number, instant: number): boolean {
    return sent - instant > this.#most || arrived - instant < this.#least
  }

  /**
   * Observes a reply.
   *
   * @param sent when the question was sent, by this process's clock
   * @param arrived when the reply arrived, by this process's clock
   * @param instant the instant of the reply, by the server's clock
   */
  observe(sent: number, arrived: number, instant: number): void {
    const least = sent - instant
    const most = arrived - instant
    if (least > this.#most || most < this.#least) {
      if (most < this.#least) this.skipped += this.#least - most
      this.#least = least
      this.#most = most
      return
    }
    if (least > this.#least) this.#least = least
    if (most < this.#most) this.#most = most
  }

  /** This process's instant of an instant of the server: never too early. */
  ownInstant(instant: number): number {
    return instant + this.#most
  }
}
