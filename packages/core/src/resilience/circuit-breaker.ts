/**
 * A circuit breaker: after a few failures in a row nobody waits for the store; a probe, not a request, finds it again.
 *
 * Our own, since the libraries for it (cockatiel, opossum) wrap every call in promises and timers of their own, which
 * costs more than a whole check, and let a user's request be the probe.
 */
export class CircuitBreaker {
  readonly #probe: () => Promise<unknown>
  readonly #recover: () => Promise<void>
  #failures = 0
  #open = false
  #nextProbe = 0
  #probing = false

  /**
   * @param probe asks the store whether it answers
   * @param mend is called when it does again, before anybody else asks it
   */
  constructor(probe: () => Promise<unknown>, recover: () => Promise<void>) {
    this.#probe = probe
    this.#recover = recover
  }

  /**
   * Whether the store is not to be asked now. Starts a probe when one is due: a promise of its end where it was due long ago,
   * since nobody came. The store may be back for long, and who comes first is not to be refused for that.
   */
  isOpen(): boolean | Promise<void> {
    if (!this.#open) return false
    const overdue = clock() - this.#nextProbe
    if (this.#probing || overdue < 0) return true
    const probe = this.#runProbe()
    return overdue > QUIET_MS ? probe : true
  }

  /** Opens, and asks at once: what the store holds may be another than before. An open one asks soon anyway. */
  openAndProbe(): void {
    if (this.#open) return
    this.#open = true
    void this.#runProbe()
  }

  succeeded(): void {
    this.#failures = 0
  }

  failed(): void {
    this.#failures++
    if (this.#failures < THRESHOLD || this.#open) return
    this.#open = true
    this.#scheduleProbe()
  }

  async #runProbe(): Promise<void> {
    this.#probing = true
    try {
      await this.#probe()
      await this.#recover()
      this.#open = false
      // Until a request succeeds too, one failure is enough to open again.
      this.#failures = THRESHOLD - 1
    } catch {
      this.#scheduleProbe()
    } finally {
      this.#probing = false
    }
  }

  // Jitter, so that many processes do not probe a store that comes back in step.
  #scheduleProbe(): void {
    this.#nextProbe = clock() + PROBE_MS * (0.75 + Math.random() / 2)
  }
}

const clock = performance.now.bind(performance)
const THRESHOLD = 3
const PROBE_MS = 500
const QUIET_MS = 1_000
