import { afterFreeTime } from '@halt/core/store'

/** The time between two tests for missing replies, milliseconds. */
export const INTERVAL_MS = 250
const MAX_INTERVALS = 40

/** Counts the calls that were sent in one interval. */
export interface SendInterval {
  /** How many of them have no reply yet. */
  open: number
  /** How many calls in all had a reply when the interval began. */
  readonly answered: number
}

/**
 * Notices calls without a reply. The client libraries would wait for ever for a server that hangs or has vanished. It costs
 * two additions per call, and its timer runs only while calls are pending.
 */
export class ReplyWatchdog {
  readonly #maxIntervals: number
  readonly #unanswered: (silent: boolean) => void
  #answered = 0
  #intervals: SendInterval[] = []
  #ticking = false
  #current: SendInterval = { open: 0, answered: 0 }

  /**
   * @param maxIntervals after so many intervals without a reply a call counts as unanswered
   * @param unanswered is then called at each interval. `silent`: no call at all had a reply for as long
   */
  constructor(maxIntervals: number, unanswered: (silent: boolean) => void) {
    this.#maxIntervals = maxIntervals
    this.#unanswered = unanswered
  }

  /** Adds a call that is sent now. Returns the interval to pass to {@link settled}. */
  sent(): SendInterval {
    const interval = this.#current
    interval.open++
    if (!this.#ticking) this.#start()
    return interval
  }

  /** Removes a call that was answered or has failed. */
  settled(interval: SendInterval): void {
    interval.open--
    this.#answered++
  }

  #start(): void {
    this.#ticking = true
    this.#intervals = [this.#current]
    this.#next()
  }

  // Measured in free time, so that replies which arrived while the process was busy are read first.
  #next(): void {
    afterFreeTime(INTERVAL_MS, () => this.#tick(), true)
  }

  #tick(): void {
    const intervals = this.#intervals
    this.#current = { open: 0, answered: this.#answered }
    intervals.push(this.#current)
    while (intervals.length > 1 && intervals[0]?.open === 0) intervals.shift()
    // A call that stays open after its connection was ended is a fault of the client library, so it is forgotten.
    if (intervals.length > MAX_INTERVALS) intervals.shift()
    this.#ticking = intervals.length > 1
    if (!this.#ticking) return
    this.#next()
    const then = intervals[intervals.length - 1 - this.#maxIntervals]
    if (then !== undefined) this.#unanswered(then.answered === this.#answered)
  }
}
