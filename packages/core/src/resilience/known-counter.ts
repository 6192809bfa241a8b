/** The last known state of one counter in the store. */
export interface KnownCounter {
  readonly state: number[]
  /** The store's clock at that state, in microseconds; 0 when the counter was reset since. */
  decidedAt: number
  /** How far this process's clock is ahead of the store's clock, in microseconds. */
  offset: number
  /** Until when the last refused request stays refused, by this process's clock in microseconds; 0 when it was allowed. */
  refusedUntil: number
  /** The number of the last call about the counter that was sent. */
  lastCall: number
  /** The number of the last call about the counter that was answered. */
  lastReply: number
  /** Replies to calls before this number are ignored, because the counter was reset. */
  validFrom: number
}

// Microseconds. A reply that overtook another one is newer by less than this. A larger step back means that the store's
// clock was set.
const MAX_REORDERING = 60e6

/** Records that a call was answered. Returns whether the reply is newer than the known state. */
export function isNewer(known: KnownCounter, at: number, call: number): boolean {
  if (call > known.lastReply) known.lastReply = call
  if (call < known.validFrom) return false
  const lead = known.decidedAt - at
  return lead <= 0 || lead > MAX_REORDERING
}

/** How long an observation counts, in microseconds. Older ones are dropped, because clocks drift and servers fail over. */
const WINDOW = 30e6

/**
 * How far this process's clock is ahead of the store's clock, in microseconds.
 *
 * A reply can arrive late but never early, so the smallest recent difference is the best estimate. With it, a late reply counts
 * from the instant at which the store gave it.
 */
export class ClockOffset {
  #smallest = Number.POSITIVE_INFINITY
  #next = Number.POSITIVE_INFINITY
  #rotatesAt = 0

  /** The current estimate; 0 before the first reply. */
  get value(): number {
    return this.#smallest === Number.POSITIVE_INFINITY ? 0 : this.#smallest
  }

  /**
   * Observes a reply and returns the new estimate.
   *
   * @param now this process's clock, in microseconds
   * @param instant the store's clock at the decision, in microseconds
   */
  observe(now: number, instant: number): number {
    const offset = now - instant
    if (now >= this.#rotatesAt) {
      this.#smallest = now >= this.#rotatesAt + WINDOW ? offset : this.#next
      this.#next = offset
      this.#rotatesAt = now + WINDOW
    }
    if (offset < this.#next) this.#next = offset
    if (offset < this.#smallest) this.#smallest = offset
    return this.#smallest
  }
}
