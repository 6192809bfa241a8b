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
  // perf: bench "overload"; a list through the permits costs a fifth of a set.
  #last: Permit | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  hold(permit: Permit): void {
    const before = this.#last
    permit.before = before
    if (before !== undefined) before.after = permit
    this.#last = permit
  }

  free(permit: Permit): void {
    const { before, after } = permit
    if (before !== undefined) before.after = after
    if (after !== undefined) after.before = before
    else if (this.#last === permit) this.#last = before
    permit.before = undefined
    permit.after = undefined
  }

  /** The requests of a route. */
  of(route: string): readonly Permit[] {
    return this.#all(permit => permit.route === route)
  }

  /** The requests that use nothing. None if it was asked a moment ago. */
  idle(now: number): readonly Permit[] {
    if (now - this.#lookedAt < LOOK_MS) return NONE
    this.#lookedAt = now
    return this.#all(({ at, sender }) => {
      const ms = now - at
      return ms >= STUCK_MS || (ms >= SENDING_MS && sender?.isSending === true)
    })
  }

  #all(is: (permit: Permit) => boolean): readonly Permit[] {
    const found: Permit[] = []
    for (let permit = this.#last; permit !== undefined; permit = permit.before)
      if (is(permit)) found.push(permit)
    return found
  }
}

const NONE: readonly Permit[] = Object.freeze([])
