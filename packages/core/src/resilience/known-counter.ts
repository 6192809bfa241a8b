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
