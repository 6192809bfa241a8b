import type { WarnOnce } from '../base/warnings.ts'
import type { Store, StoreFailure } from '../store/contract.ts'
import type { StoreRecovery } from '../check/telemetry.ts'
import { nowMicros } from '../base/process-clock.ts'
import { type SharedOutage, outageOf } from './shared-outage.ts'
import { failureKind, failureText, WARNINGS } from './store-failure.ts'

/** The receivers of an outage's events. */
export interface OutageParts {
  readonly store: Store
  readonly warn: WarnOnce
  /** Called for every failure, those of probes included. */
  readonly onFailure: (error: unknown, failure: StoreFailure) => void
  /** Called at the end of every outage, up to a number per minute. */
  readonly onRecovery: (recovery: Omit<StoreRecovery, 'store'>) => void
}

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
  #isActive = false
  #startedAt = 0
  #lastFailureAt = 0
  #failures = 0
  #minute = 0
  #reported = 0

  constructor(parts: OutageParts) {
    this.#parts = parts
  }

  /** Whether the store's last known call failed. */
  get isActive(): boolean {
    return this.#isActive
  }

  /** Reports a failure. */
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
