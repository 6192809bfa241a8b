const INTERVAL_MS = 5_000
const TTL_MS = 15_000

/** How a {@link Heartbeat} reaches the server. */
export interface HeartbeatWire {
  /**
   * Writes that this process lives, and counts the processes that were heard of during the last `ttl` milliseconds.
   *
   * @param id this process; empty to count without writing
   */
  readonly send: (id: string, ttl: number) => Promise<number>
  /** Whether the server can be reached. Default: always. */
  readonly isReady?: () => boolean
  /** Called with the error of a heartbeat that nobody awaits. */
  readonly failed?: (error: unknown) => void
}

/**
 * Counts the processes that share the limits. Each process writes its id into the store while it decides or reads documents, as a
 * `Control` does every second, at most every 5 s, and is forgotten 15 s after the last write. It needs no timer.
 */
export class Heartbeat {
  readonly #wire: HeartbeatWire
  readonly #id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`
  #isUsed = false
  #nextAt = 0
  #count = 1

  constructor(wire: HeartbeatWire) {
    this.#wire = wire
  }

  /** The number of processes by the last count, this one included. The first read switches the heartbeat on. */
  get count(): number {
    this.use()
    return this.#count
  }

  /** Switches the heartbeat on. */
  use(): void {
    this.#isUsed = true
  }

  /** Whether the heartbeat is on. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  /**
   * Sends a heartbeat if the last one is 5 s old.
   *
   * @param now performance.now()
   */
  sendIfDue(now: number): void {
    if (!this.#isUsed || now < this.#nextAt || this.#wire.isReady?.() === false) return
    this.#nextAt = now + INTERVAL_MS
    // The last count stays after an error. The next check reports the outage.
    this.send().catch((error: unknown) => this.#wire.failed?.(error))
  }

  /** Counts the processes that have sent a heartbeat during the last 15 s. This one sends none. */
  ask(): Promise<number> {
    return this.#wire.send('', TTL_MS)
  }

  /** Sends a heartbeat now. Rejects if the server refuses it. */
  async send(): Promise<void> {
    // The server counts this process too.
    this.#count = Math.max(1, await this.#wire.send(this.#id, TTL_MS))
  }
}
