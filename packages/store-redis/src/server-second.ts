/**
 * Guesses the second that the server's clock shows, so that the reply to the commonest call can be one number. A wrong guess
 * makes that reply a list, and nothing else.
 */
export class ServerSecond {
  // Milliseconds by which the server's clock is ahead of performance.now().
  #lead: number | undefined
  #guess = ''
  // The guess holds until this instant of performance.now().
  #end = 0

  /**
   * The second since the Unix epoch, as text; empty before the first reply.
   *
   * @param now performance.now()
   */
  at(now: number): string {
    if (this.#lead === undefined || now < this.#end) return this.#guess
    const second = Math.floor((now + this.#lead) / 1000)
    this.#end = (second + 1) * 1000 - this.#lead
    this.#guess = String(second)
    return this.#guess
  }

  /**
   * Notes the server's clock in a reply.
   *
   * @param instant the server's clock in microseconds
   * @param sent performance.now() when the call was sent
   */
  observe(instant: number, sent: number): void {
    this.#lead = instant / 1000 - sent
    this.#end = 0
  }
}
