import { nowMicros, afterQuietly, followsFakeTimers } from '../base/event-loop.ts'
import { type WarnOnce, type HaltWarning, Occasion } from '../base/warnings.ts'
import { WeakList } from '../base/weak-list.ts'
import type { EvaluatorOptions } from '../charge/wings.ts'
import type { Store, StoreFailure } from '../store/contract.ts'
import { failureKind, failureText, WARNINGS } from './circuit-breaker.ts'

/** The receivers of an outage's events. */
type OutageParts = Pick<EvaluatorOptions, 'store' | 'warn' | 'onFailure' | 'onRecovery'>

// Caps the reports of a store that fails every other call.
const MAX_PER_MINUTE = 5
const MINUTE = 60e6

/**
 * Reports each outage of a store and its end. An outage begins with a failure. It ends with the first reply to a call that was
 * sent after the last failure.
 */
export class OutageReports {
  readonly #parts: OutageParts
  // False during an outage beyond the cap on reports.
  #isReported = false
  // The outage as all limiters of the store see it.
  #shared: SharedOutage | undefined
  // Whether the store's last known call failed.
  #isActive = false
  #startedAt = 0
  #lastFailureAt = 0
  #failures = 0
  #minute = 0
  #reported = 0

  constructor(parts: OutageParts) {
    this.#parts = parts
  }

  failed(error: unknown): void {
    const now = nowMicros()
    if (!this.#isActive) this.#begin(now)
    this.#lastFailureAt = now
    this.#failures++
    const failure = failureKind(error)
    this.#shared = outageOf(this.#parts.store)
    this.#shared.failed()
    this.#warn(error, failure, this.#shared)
    this.#parts.onFailure(error, failure)
  }

  /** Records that the store answered a call that was sent at `sent`, by this process's clock in microseconds. */
  answered(sent: number): void {
    if (!this.#isActive || sent < this.#lastFailureAt) return
    this.#isActive = false
    this.#shared?.answered()
    if (!this.#isReported) return
    const lastedMs = (nowMicros() - this.#startedAt) / 1000
    this.#parts.onRecovery({ failures: this.#failures, lastedMs })
  }

  #begin(now: number): void {
    this.#isActive = true
    this.#startedAt = now
    this.#failures = 0
    if (now - this.#minute >= MINUTE) {
      this.#minute = now
      this.#reported = 0
    }
    this.#isReported = this.#reported++ < MAX_PER_MINUTE
  }

  #warn(error: unknown, failure: StoreFailure, outage: SharedOutage): void {
    const { fix: own } = (error ?? {}) as { fix?: unknown }
    const isFull = failure === 'full' && typeof own === 'string'
    // Only the store knows what is full.
    const fix = isFull ? `${own} ${CANNOT_ANSWER}` : (FIXES[failure] ?? CANNOT_ANSWER)
    const message = `The store failed: ${failureText(error)}.`
    const isAway = failure === 'timeout' || failure === 'unavailable'
    outage.warn(this.#parts.warn, { code: WARNINGS[failure], message, fix }, isAway)
  }
}

const CANNOT_ANSWER =
  'Until it answers again, the onStoreError of each policy decides. By default, "local", this process counts alone, with its share of the limit.'
const LACKS = 'Call limiter.ready() to find out what the store lacks.'
const FIXES: Partial<Record<StoreFailure, string>> = {
  full: `Give it more memory or disk, or a server of its own. ${CANNOT_ANSWER}`,
  misconfigured: LACKS,
  script: LACKS,
}

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
function outageOf(store: Store): SharedOutage {
  let found = latest.get(store)
  if (found === undefined || !found.goesOn) latest.set(store, (found = new SharedOutage()))
  return found
}
