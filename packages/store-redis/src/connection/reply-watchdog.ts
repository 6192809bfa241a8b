import { afterFreeTime } from '@halt/core/store'

/** Milliseconds between two looks at what is unanswered. */
export const INTERVAL_MS = 250
const MAX_INTERVALS = 40

/** The calls that were sent between two beats. */
export interface SendInterval {
  /** How many are not answered yet. */
  open: number
  /** How many of all calls had been answered when it began. */
  readonly answered: number
}

/**
 * Notices calls that are not answered: no client does, and a server that hangs or has vanished would be waited for without
 * end. It costs two additions a call; its timer runs only while calls are out.
 */
export class ReplyWatchdog {
  readonly #patience: number
  readonly #unanswered: (silent: boolean) => void
  #answered = 0
  #intervals: SendInterval[] = []
  #ticking = false
  #current: SendInterval = { open: 0, answered: 0 }

  /**
   * @param patience beats, after which a call counts as unanswered
   * @param unanswered is told then, at each beat, whether nothing at all was answered for as long
   */
  constructor(patience: number, unanswered: (silent: boolean) => void) {
    this.#patience = patience
    this.#unanswered = unanswered
  }

  /** Counts a call in. */
  sent(): SendInterval {
    const interval = this.#current
    interval.open++
    if (!this.#ticking) this.#start()
    return interval
  }

  /** Counts a call out, whether it was answered well or not. */
  settled(interval: SendInterval): void {
    interval.open--
    this.#answered++
  }

  #start(): void {
    this.#ticking = true
    this.#intervals = [this.#current]
    this.#next()
  }

  // What arrived while the process was busy is read before it is missed.
  #next(): void {
    afterFreeTime(INTERVAL_MS, () => this.#tick(), true)
  }

  #tick(): void {
    const intervals = this.#intervals
    this.#current = { open: 0, answered: this.#answered }
    intervals.push(this.#current)
    while (intervals.length > 1 && intervals[0]?.open === 0) intervals.shift()
    // What outlasts every cull is the client's own fault, and forgotten.
    if (intervals.length > MAX_INTERVALS) intervals.shift()
    this.#ticking = intervals.length > 1
    if (!this.#ticking) return
    this.#next()
    const then = intervals[intervals.length - 1 - this.#patience]
    if (then !== undefined) this.#unanswered(then.answered === this.#answered)
  }
}
