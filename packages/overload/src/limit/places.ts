import type { Permit } from './permit.ts'

// A request that has been in flight for so long waits for something that other requests do not wait for.
const STUCK_MS = 10_000
// A body that takes longer than this comes from a slow client.
const SENDING_MS = 100

/**
 * The requests in flight. Finds those that hold a place and use nothing of the process: their client is slow to send the body, or
 * they hang. A few of these would fill the limit, and everybody else would be refused.
 */
export class Places {
  // perf: bench "overload"; a list through the permits costs a fifth of a set.
  #last: Permit | undefined

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

  /** The requests that use nothing. */
  idle(now: number): readonly Permit[] {
    return this.those(({ at, sender }) => {
      const ms = now - at
      return ms >= STUCK_MS || (ms >= SENDING_MS && sender?.isSending === true)
    })
  }

  /** The requests that a test chooses. */
  those(test: (permit: Permit) => boolean): readonly Permit[] {
    const found: Permit[] = []
    for (let permit = this.#last; permit !== undefined; permit = permit.before)
      if (test(permit)) found.push(permit)
    return found
  }
}
