import { afterQuietly, followsFakeTimers } from '../base/event-loop.ts'
import { type HaltWarning, Occasion, type WarnOnce } from '../base/warnings.ts'
import { WeakList } from '../base/weak-list.ts'
import type { Store } from '../store/contract.ts'

/** A store is back when no call has failed for so long, in milliseconds. While a cluster fails over, some calls fail and others do not. */
const QUIET_MS = 10_000

/**
 * An outage of a store, as all limiters and managers of the store see it: failures that follow each other. Each receiver is warned
 * once when it begins, and told once when it is over.
 */
export class SharedOutage {
  readonly #occasion = new Occasion()
  readonly #startedAt = now()
  #lastFailureAt = this.#startedAt
  // The first answer after the last failure. Undefined while the store fails.
  #endedAt: number | undefined
  // An outage may last as long as the store. It keeps no limiter alive that nobody uses any more.
  readonly #warned = new WeakList<WarnOnce>()
  readonly #isWarned = new WeakSet<WarnOnce>()
  #isTimed = false

  /** Whether a failure at this instant belongs to this outage. */
  get goesOn(): boolean {
    return this.#endedAt === undefined || now() - this.#lastFailureAt <= QUIET_MS
  }

  failed(): void {
    this.#lastFailureAt = now()
    this.#endedAt = undefined
  }

  /** Warns of the outage. A store that does not answer is one thing to warn of, whether its connection fails or hangs. */
  warn(warn: WarnOnce, warning: HaltWarning, isAway: boolean): void {
    if (!this.#isWarned.has(warn)) {
      this.#isWarned.add(warn)
      this.#warned.add(warn)
    }
    warn(warning, this.#occasion, isAway ? 'away' : undefined)
  }

  /** Notes that the store answered a call that was sent after a limiter's last failure. */
  answered(): void {
    this.#endedAt ??= now()
    if (!this.#isTimed) this.#tellWhenQuiet(QUIET_MS)
  }

  #tellWhenQuiet(ms: number): void {
    this.#isTimed = true
    afterQuietly(ms, () => {
      this.#isTimed = false
      if (this.#endedAt === undefined) return
      const left = QUIET_MS - (now() - this.#lastFailureAt)
      if (left > 0) this.#tellWhenQuiet(Math.ceil(left))
      else this.#tellEnd(this.#endedAt)
    })
  }

  #tellEnd(endedAt: number): void {
    const lasted = ((endedAt - this.#startedAt) / 1000).toFixed(1)
    const warning: HaltWarning = {
      code: 'HALT_W_STORE_RECOVERED',
      message: `The store answers again, after an outage of ${lasted} s.`,
      fix: 'Nothing is left to do, because the store decides again.',
    }
    for (const warn of this.#warned) warn(warning, this.#occasion)
  }
}

function now(): number {
  return followsFakeTimers.now()
}

const latest = new WeakMap<Store, SharedOutage>()

/** The outage to which a failure of a store belongs now. */
export function outageOf(store: Store): SharedOutage {
  let found = latest.get(store)
  if (found === undefined || !found.goesOn) latest.set(store, (found = new SharedOutage()))
  return found
}
