import { after, type Timer, within } from '../timers.ts'

const clock = performance.now.bind(performance)

interface Waiting {
  readonly due: number
  settled: boolean
  readonly reject: (error: Error) => void
}

/**
 * One deadline for many calls: each is rejected when it has not settled after the same time, by one timer for all.
 *
 * The calls wait in the order in which they came, so only the first one's due time needs a timer.
 */
export class Deadline {
  readonly #ms: number
  readonly #late: () => Error
  #waiting: Waiting[] = []
  #head = 0
  #open = 0
  #timer: Timer | number | undefined
  // On Workers a timer ends with the request that made it, and is a number: there each call has its own.
  #isShared = true

  constructor(ms: number, late: () => Error) {
    this.#ms = ms
    this.#late = late
  }

  /** Settles as `promise` does, or rejects at the deadline. */
  race<T>(promise: Promise<T>): Promise<T> {
    if (!this.#isShared) return within(promise, this.#ms, this.#late)
    return new Promise((resolve, reject) => {
      const entry: Waiting = { due: clock() + this.#ms, settled: false, reject }
      this.#waiting.push(entry)
      this.#open++
      this.#arm(this.#ms)
      promise.then(
        value => {
          this.#settle(entry)
          resolve(value)
        },
        error => {
          this.#settle(entry)
          reject(error)
        },
      )
    })
  }

  #settle(entry: Waiting): void {
    if (entry.settled) return
    entry.settled = true
    // The timer stays for the next call, but an idle process may end.
    if (--this.#open === 0 && typeof this.#timer === 'object') this.#timer.unref?.()
  }

  #arm(ms: number): void {
    if (this.#timer === undefined) {
      this.#timer = after(ms, () => this.#fire())
      this.#isShared = typeof this.#timer === 'object'
    } else if (typeof this.#timer === 'object') this.#timer.ref?.()
  }

  #fire(): void {
    this.#timer = undefined
    const now = clock()
    while (this.#head < this.#waiting.length) {
      const entry = this.#waiting[this.#head] as Waiting
      // Timers may fire up to a millisecond early.
      if (!entry.settled && entry.due > now + 1) break
      this.#head++
      if (entry.settled) continue
      this.#settle(entry)
      entry.reject(this.#late())
    }
    this.#waiting = this.#waiting.slice(this.#head)
    this.#head = 0
    const next = this.#waiting[0]
    if (next !== undefined) this.#arm(Math.max(1, next.due - now))
  }
}
