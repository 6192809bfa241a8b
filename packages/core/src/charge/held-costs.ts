import { afterQuietly, eventLoop, type Timer } from '../base/event-loop.ts'
import { IN_FLIGHT_MS } from '../policy/compiled-policy.ts'

// One second less than a permit lasts, because the store's permit began before its reply arrived here, and because timers are late.
const WAIT_MS = IN_FLIGHT_MS - 1000
// With this many undecided requests their ends have been lost. Then the oldest costs are charged early, a slice at a time.
const MAX_HELD = 100_000
const SLICE = 1000

const clock = (): number => performance.now()

/**
 * The held costs of requests whose response is not decided yet. A cost that is still held when its permit ends is charged.
 *
 * All permits last equally long, so they end in the order of their arrival, and one timer serves all of them.
 */
export class HeldCosts<T> {
  readonly #charge: (held: T) => void
  readonly #due = new Map<T, number>()
  /** No permit ends before this instant. */
  #next = Number.POSITIVE_INFINITY
  #timer: Timer | number | undefined

  /** @param charge charges a held cost */
  constructor(charge: (held: T) => void) {
    this.#charge = charge
  }

  /** Adds a held cost and begins to wait for its response. */
  add(held: T): void {
    const now = clock()
    const surplus = this.#due.size < MAX_HELD ? 0 : SLICE
    // Some runtimes end a timer together with the request that started it, so do not rely on the timer alone.
    if (now >= this.#next || surplus > 0) this.#chargeDue(now, surplus)
    const due = now + WAIT_MS
    this.#due.set(held, due)
    this.#next = Math.min(this.#next, due)
    this.#timer ??= afterQuietly(WAIT_MS, () => this.#fire())
  }

  /** Removes a held cost because its response is decided. */
  delete(held: T): void {
    this.#due.delete(held)
    // A timer that is a number cannot be unreferenced, and would keep an idle process alive.
    if (this.#due.size > 0 || typeof this.#timer !== 'number') return
    eventLoop.cancel(this.#timer)
    this.#timer = undefined
  }

  /** Removes and returns all held costs. */
  drain(): T[] {
    const all = [...this.#due.keys()]
    for (const held of all) this.delete(held)
    return all
  }

  #chargeDue(now: number, surplus: number): void {
    let left = surplus
    for (const [held, due] of this.#due) {
      this.#next = due
      if (due > now && left-- <= 0) return
      this.#due.delete(held)
      this.#charge(held)
    }
    this.#next = Number.POSITIVE_INFINITY
  }

  #fire(): void {
    this.#timer = undefined
    const now = clock()
    this.#chargeDue(now, 0)
    if (this.#next < Number.POSITIVE_INFINITY)
      this.#timer = afterQuietly(Math.max(1, this.#next - now), () => this.#fire())
  }
}
