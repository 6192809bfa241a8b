import { afterQuietly, eventLoop, type Timer } from '@halt/core/gate'
import type { ActQueue } from './act-queue.ts'
import type { Ledger } from './ledger.ts'
import type { PolicyWatch } from './policy-watch.ts'

/** How often the document is read, in milliseconds. */
const BEAT_MS = 1_000

/** Reads the document once a second, and gives the store what it has lost or not taken. It does not keep the process alive. */
export class Beat {
  readonly #ledger: Ledger
  readonly #queue: ActQueue
  readonly #watch: PolicyWatch
  #timer: Timer | number | undefined
  #isEnded = false

  constructor(ledger: Ledger, queue: ActQueue, watch: PolicyWatch) {
    this.#ledger = ledger
    this.#queue = queue
    this.#watch = watch
    void this.#look()
    this.#next()
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  end(): void {
    this.#isEnded = true
    if (this.#timer !== undefined) eventLoop.cancel(this.#timer)
  }

  #next(): void {
    this.#timer = afterQuietly(BEAT_MS, () => {
      void this.#look().finally(() => {
        this.#watch.beat(this.#ledger.state)
        if (!this.#isEnded) this.#next()
      })
    })
  }

  async #look(): Promise<void> {
    if ((await this.#ledger.look()) && !this.#isEnded) await this.#queue.catchUp()
  }
}
