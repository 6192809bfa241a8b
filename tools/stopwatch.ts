const TICK_MS = 5

/** Measures the time in which this process could work, in milliseconds: a late tick counts as one on time. */
export class Stopwatch {
  #ms = 0
  #last = performance.now()
  readonly #timer = setInterval(() => this.#tick(), TICK_MS)

  /** The time so far. */
  get ms(): number {
    this.#tick()
    return this.#ms
  }

  stop(): number {
    clearInterval(this.#timer)
    return this.ms
  }

  #tick(): void {
    const now = performance.now()
    this.#ms += Math.min(now - this.#last, 2 * TICK_MS)
    this.#last = now
  }
}
