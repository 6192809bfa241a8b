import { Occasion, type WarnOnce } from '../base/warnings.ts'
import type { Store, StoreFailure } from '../store/contract.ts'
import type { StoreRecovery } from '../telemetry/telemetry.ts'
import { nowMicros } from '../base/process-clock.ts'
import { kindOf, textOf, WARNINGS } from './store-failure.ts'

/** What outages are told to. */
export interface OutageParts {
  readonly store: Store
  readonly warn: WarnOnce
  /** Told of every failure. */
  readonly onFailure: (error: unknown, failure: StoreFailure) => void
  /** Told of the end of every outage that was warned of. */
  readonly onRecovery: (recovery: Omit<StoreRecovery, 'store'>) => void
}

// A store that fails every other call is told of so often, and no more.
const MOST_A_MINUTE = 5
const MINUTE = 60e6
// Limiters of one store that fail within this tell of one outage.
const TOGETHER = 2e6

/**
 * Tells of each outage of a store, and of its end. An outage begins with a failure and ends with the first answer to a question
 * that was asked after the last failure.
 */
export class Outages {
  readonly #parts: OutageParts
  // Undefined in an outage that is one too many to be told of.
  #occasion: Occasion | undefined
  #isOn = false
  #began = 0
  #last = 0
  #failures = 0
  #minute = 0
  #told = 0

  constructor(parts: OutageParts) {
    this.#parts = parts
  }

  /** Whether the last that was heard of the store is a failure. */
  get isOn(): boolean {
    return this.#isOn
  }

  /** Tells of a failure. */
  failed(error: unknown): void {
    const now = nowMicros()
    if (!this.#isOn) this.#begin(now)
    this.#last = now
    this.#failures++
    const failure = kindOf(error)
    if (this.#occasion !== undefined) this.#warn(error, failure, this.#occasion)
    this.#parts.onFailure(error, failure)
  }

  /** Hears that the store has answered what was asked at `sent`, by this process's clock. */
  answered(sent: number): void {
    if (!this.#isOn || sent < this.#last) return
    this.#isOn = false
    if (this.#occasion === undefined) return
    this.#occasion = undefined
    const lastedMs = (nowMicros() - this.#began) / 1000
    this.#parts.onRecovery({ failures: this.#failures, lastedMs })
  }

  #begin(now: number): void {
    this.#isOn = true
    this.#began = now
    this.#failures = 0
    if (now - this.#minute >= MINUTE) {
      this.#minute = now
      this.#told = 0
    }
    if (this.#told++ < MOST_A_MINUTE) this.#occasion = occasionOf(this.#parts.store, this, now)
  }

  #warn(error: unknown, failure: StoreFailure, occasion: Occasion): void {
    const fix =
      failure === 'misconfigured' || failure === 'script'
        ? 'Call limiter.ready() to see what the store lacks.'
        : 'Policies decide by their onStoreError until it answers again.'
    const message = `The store failed: ${textOf(error)}.`
    this.#parts.warn({ code: WARNINGS[failure], message, fix }, occasion)
  }
}

interface Latest {
  readonly occasion: Occasion
  readonly began: number
  readonly members: WeakSet<Outages>
}

const latest = new WeakMap<Store, Latest>()

/** The occasion of an outage that begins: that of another limiter of the store where it has begun just now, else a new one. */
function occasionOf(store: Store, member: Outages, now: number): Occasion {
  let found = latest.get(store)
  if (found === undefined || now - found.began > TOGETHER || found.members.has(member)) {
    found = { occasion: new Occasion(), began: now, members: new WeakSet() }
    latest.set(store, found)
  }
  found.members.add(member)
  return found.occasion
}
