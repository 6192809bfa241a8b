import type { Statements } from './statements.ts'

const INTERVAL_MS = 5_000
const TTL_SECONDS = 15

/**
 * Counts the processes that share the limits. Each process writes its id into the database while it decides or reads documents, as a
 * `Control` does every second, at most every 5 s, and is forgotten 15 s after the last write. It needs no timer.
 */
export class Heartbeat {
  readonly #statements: Statements
  readonly #prefix: string
  readonly #id = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`
  #isUsed = false
  #nextAt = 0
  #count = 1

  constructor(statements: Statements, prefix: string) {
    this.#statements = statements
    this.#prefix = prefix
  }

  /** The number of processes by the last count, this one included. The first read switches the heartbeat on. */
  get count(): number {
    this.#isUsed = true
    return this.#count
  }

  /**
   * Sends a heartbeat if the last one is 5 s old.
   *
   * @param now performance.now()
   */
  sendIfDue(now: number): void {
    if (!this.#isUsed || now < this.#nextAt) return
    this.#nextAt = now + INTERVAL_MS
    // The last count stays after an error. The next check reports the outage.
    this.#send().catch(() => {})
  }

  /** Counts the processes that have sent a heartbeat during the last 15 s. This one sends none. */
  ask(): Promise<number> {
    return this.#statements.count('alive', this.#prefix, `${TTL_SECONDS}`)
  }

  async #send(): Promise<void> {
    const count = await this.#statements.count('beat', this.#prefix, this.#id, `${TTL_SECONDS}`)
    if (count >= 1) this.#count = count
  }
}
