import type { Loop } from './loop.ts'

// A loop that handles its next turn sooner than this did not wait in between. Used where the runtime does not tell idle time.
const AT_ONCE_MS = 1

/**
 * Tells how long a request has waited before its handler runs, which no time stamp of the handler shows: while a synchronous
 * handler runs, all others wait in their sockets.
 *
 * The first request of a turn of the loop notes the start of the turn, and arms one `setImmediate`, which ends it. All that is
 * handled in between was readable when the turn began. It arrived while the turn before was running, on average in its middle.
 */
export class TurnClock {
  /** The time of the last {@link enter}, in milliseconds. */
  now = 0
  /** How long the request of the last {@link enter} has waited before its handler ran, in milliseconds. An estimate. */
  age = 0
  readonly #loop: Loop
  #isOpen = false
  #start = 0
  #wait = 0
  #end: number
  #length = 0
  #idleAtEnd: number | undefined
  /** Is told of each turn that begins, how long the loop was idle before it, and when the turn before ended. */
  opened: ((now: number, idleMs: number, endedAt: number) => void) | undefined

  constructor(loop: Loop) {
    this.#loop = loop
    this.#end = loop.now()
    this.#idleAtEnd = loop.idle()
  }

  /** Notes that a request is about to be handled, and sets {@link now} and {@link age}. */
  enter(): void {
    const now = this.#loop.now()
    if (!this.#isOpen) this.#open(now)
    this.now = now
    this.age = now - this.#start + this.#wait
  }

  /** Reads the clock. */
  read(): number {
    return this.#loop.now()
  }

  #open(now: number): void {
    this.#isOpen = true
    this.#start = now
    const gap = now - this.#end
    const idle = this.#loop.idle()
    const slept = idle === undefined ? (gap < AT_ONCE_MS ? 0 : gap) : idle - (this.#idleAtEnd ?? 0)
    // If the loop has not slept, requests have come since it last looked, which was when the turn before began.
    const span = slept > 0 ? gap - slept : gap + this.#length
    this.#wait = Math.max(0, span) / 2
    this.opened?.(now, slept, this.#end)
    this.#loop.afterTurn(this.#close)
  }

  readonly #close = (): void => {
    const now = this.#loop.now()
    this.#isOpen = false
    this.#length = now - this.#start
    this.#end = now
    this.#idleAtEnd = this.#loop.idle()
  }
}
