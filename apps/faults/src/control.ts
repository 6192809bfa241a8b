import { setTimeout as sleep } from 'node:timers/promises'

const EVERY_MS = 50

/** Measures how long the servers take to answer without Halt, to tell the delay of a busy machine from that of Halt. */
export class Control {
  #longest = 0
  #isOver = false
  readonly #asking: Promise<void>

  constructor(pings: readonly (() => Promise<unknown>)[]) {
    this.#asking = this.#ask(pings)
  }

  /** Stops, and returns the longest answer time of any server that answered, in milliseconds. */
  async stop(): Promise<number> {
    this.#isOver = true
    await this.#asking
    return this.#longest
  }

  async #ask(pings: readonly (() => Promise<unknown>)[]): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(pings.map(ping => this.#time(ping)))
      await sleep(EVERY_MS)
    }
  }

  async #time(ping: () => Promise<unknown>): Promise<void> {
    const started = performance.now()
    try {
      await ping()
    } catch {
      return
    }
    this.#longest = Math.max(this.#longest, performance.now() - started)
  }
}
