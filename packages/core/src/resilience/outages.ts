import { Occasion, type WarnOnce } from '../base/warnings.ts'
import type { Store, StoreFailure } from '../store/contract.ts'
import type { StoreRecovery } from '../telemetry/telemetry.ts'
import { nowMicros } from '../base/process-clock.ts'
import { failureKind, failureText, WARNINGS } from './store-failure.ts'

/** The receivers of an outage's events. */
export interface OutageParts {
  readonly store: Store
  readonly warn: WarnOnce
  /** Called for every failure. */
  readonly onFailure: (error: unknown, failure: StoreFailure) => void
  /** Called at the end of every outage that was warned of. */
  readonly onRecovery: (recovery: Omit<StoreRecovery, 'store'>) => void
}

// Caps the warnings for a store that fails every other call.
const MAX_PER_MINUTE = 5
const MINUTE = 60e6
// Microseconds. Failures of several limiters of one store within this time count as one outage.
const SAME_OUTAGE = 2e6

/**
 * Reports each outage of a store and its end. An outage begins with a failure. It ends with the first reply to a call that was
 * sent after the last failure.
 */
export class Outages {
  readonly #parts: OutageParts
  // Undefined during an outage beyond the cap on warnings.
  #occasion: Occasion | undefined
  #isActive = false
  #startedAt = 0
  #lastFailureAt = 0
  #failures = 0
  #minute = 0
  #warned = 0

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
    if (this.#occasion !== undefined) this.#warn(error, failure, this.#occasion)
    this.#parts.onFailure(error, failure)
  }

  /** Records that the store answered a call that was sent at `sent`, by this process's clock in microseconds. */
  answered(sent: number): void {
    if (!this.#isActive || sent < this.#lastFailureAt) return
    this.#isActive = false
    if (this.#occasion === undefined) return
    this.#occasion = undefined
    const lastedMs = (nowMicros() - this.#startedAt) / 1000
    this.#parts.onRecovery({ failures: this.#failures, lastedMs })
  }

  #begin(now: number): void {
    this.#isActive = true
    this.#startedAt = now
    this.#failures = 0
    if (now - this.#minute >= MINUTE) {
      this.#minute = now
      this.#warned = 0
    }
    if (this.#warned++ < MAX_PER_MINUTE) this.#occasion = occasionOf(this.#parts.store, this, now)
  }

  #warn(error: unknown, failure: StoreFailure, occasion: Occasion): void {
    const fix =
      failure === 'misconfigured' || failure === 'script'
        ? 'Call limiter.ready() to find out what the store lacks.'
        : 'Until it answers again, the onStoreError of each policy decides. By default, "local", this process counts alone, with its share of the limit.'
    const message = `The store failed: ${failureText(error)}.`
    this.#parts.warn({ code: WARNINGS[failure], message, fix }, occasion)
  }
}

interface Latest {
  readonly occasion: Occasion
  readonly startedAt: number
  readonly members: WeakSet<Outages>
}

const latest = new WeakMap<Store, Latest>()

/** The warning occasion of a new outage. Limiters of one store share it when their outages begin at about the same time. */
function occasionOf(store: Store, member: Outages, now: number): Occasion {
  let found = latest.get(store)
  if (found === undefined || now - found.startedAt > SAME_OUTAGE || found.members.has(member)) {
    found = { occasion: new Occasion(), startedAt: now, members: new WeakSet() }
    latest.set(store, found)
  }
  found.members.add(member)
  return found.occasion
}
