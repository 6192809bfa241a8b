import type { Permit } from './permit.ts'

// A request that has been in flight for so long waits for something that other requests do not wait for.
const STUCK_MS = 10_000
// A body that takes longer than this comes from a slow client.
const SENDING_MS = 100
// A flood of refusals must stay cheap, so not each of them looks.
const LOOK_MS = 50

/**
 * The requests in flight. Finds those that hold a place and use nothing of the process: their client is slow to send the body, or
 * they hang. A few of these would fill the limit, and everybody else would be refused.
 */
export class Places {
  readonly #held = new Set<Permit>()
  #lookedAt = Number.NEGATIVE_INFINITY

  hold(permit: Permit): void {
    this.#held.add(permit)
  }

  free(permit: Permit): void {
    this.#held.delete(permit)
  }

  /** The requests that use nothing. None if it was asked a moment ago. */
  idle(now: number): readonly Permit[] {
    if (now - this.#lookedAt < LOOK_MS) return NONE
    this.#lookedAt = now
    return [...this.#held].filter(({ at, sender }) => {
      const ms = now - at
      return ms >= STUCK_MS || (ms >= SENDING_MS && sender?.isSending === true)
    })
  }
}

const NONE: readonly Permit[] = Object.freeze([])
