import { HaltError, messageOf } from '../base/errors.ts'
import type { StoreFailure } from '../store/contract.ts'

/** The warning code for each kind of failure. */
export const WARNINGS = {
  timeout: 'HALT_W_STORE_TIMEOUT',
  unavailable: 'HALT_W_STORE_UNAVAILABLE',
  full: 'HALT_W_STORE_FULL',
  misconfigured: 'HALT_W_STORE_MISCONFIGURED',
  script: 'HALT_W_STORE_SCRIPT',
} as const

/** The error of a store that did not answer in time. */
export class StoreTimeout extends Error {
  readonly failure: StoreFailure = 'timeout'
  readonly code = 'HALT_E_STORE_TIMEOUT'
  readonly fix = 'See why the store is slow, or give a longer storeTimeout.'

  constructor(ms: number) {
    super(`no answer within ${ms} ms`)
  }
}

/** The kind of a store's failure; `unavailable` when the error names no kind. */
export function failureKind(error: unknown): StoreFailure {
  const { failure } = fieldsOf(error)
  return typeof failure === 'string' && Object.hasOwn(WARNINGS, failure)
    ? (failure as StoreFailure)
    : 'unavailable'
}

/** Whether the store certainly did not apply a failed call: it replied with an error, or the call was never sent. */
export function wasNotApplied(error: unknown): boolean {
  const { reply, unsent } = fieldsOf(error)
  return reply !== undefined || unsent === true
}

/** The counter that cannot be read, if it is at fault and not the store. */
export function unreadableCounter(error: unknown): string | undefined {
  const { counter } = fieldsOf(error)
  return typeof counter === 'string' ? counter : undefined
}

/** The error for a caller whose call of the store has failed: `HALT_E_STORE`, with the fix that the failure names. */
export function storeError(error: unknown): HaltError {
  const { fix } = fieldsOf(error)
  return new HaltError(
    'HALT_E_STORE',
    `The store call failed: ${failureText(error)}.`,
    typeof fix === 'string' ? fix : 'Check that the store is reachable.',
    { cause: error },
  )
}

/** The message of a failure without a full stop, so that it fits into a sentence. */
export function failureText(error: unknown): string {
  return messageOf(error).replace(/\.$/, '')
}

interface Fields {
  readonly failure?: unknown
  readonly reply?: unknown
  readonly counter?: unknown
  readonly unsent?: unknown
  readonly fix?: unknown
}

function fieldsOf(error: unknown): Fields {
  return typeof error === 'object' && error !== null ? error : {}
}

/**
 * A circuit breaker for a store. After a few failures in a row no request waits for the store; a probe finds out when it
 * answers again.
 *
 * Written by hand, because the libraries (cockatiel, opossum) wrap every call in promises and timers of their own, which costs
 * more than a whole check, and because they use a user's request as the probe.
 */
export class CircuitBreaker {
  readonly #probe: () => Promise<unknown>
  readonly #recover: () => Promise<void>
  readonly #report: (error: unknown) => void
  #failures = 0
  #open = false
  #nextProbe = 0
  // When the pending probe began; undefined if none is pending.
  #probedAt: number | undefined
  readonly #now: () => number

  /**
   * @param probe calls the store to find out whether it answers
   * @param recover runs after a successful probe, before any request calls the store again
   * @param report called with the error of each probe and recovery that fails, so that a lasting outage goes on being told
   * @param now a clock that never goes back, in milliseconds
   */
  constructor(
    probe: () => Promise<unknown>,
    recover: () => Promise<void>,
    report: (error: unknown) => void,
    now: () => number = clock,
  ) {
    this.#probe = probe
    this.#recover = recover
    this.#report = report
    this.#now = now
  }

  /**
   * Whether requests must not call the store now. Starts a probe when one is due.
   *
   * Returns a promise for the end of the probe when the probe is long overdue. The store may have recovered long ago; the first
   * request after a quiet period should not be refused.
   */
  isOpen(): boolean | Promise<void> {
    if (!this.#open) return false
    const now = this.#now()
    const overdue = now - this.#nextProbe
    if (this.#probedAt !== undefined && now - this.#probedAt < LOST_MS) return true
    if (overdue < 0) return true
    const probe = this.#runProbe()
    return overdue > QUIET_MS ? probe : true
  }

  succeeded(): void {
    this.#failures = 0
  }

  failed(): void {
    this.#failures++
    if (this.#failures < THRESHOLD || this.#open) return
    this.#open = true
    this.#scheduleProbe()
  }

  async #runProbe(): Promise<void> {
    const began = this.#now()
    this.#probedAt = began
    try {
      await this.#probe()
      await this.#recover()
      this.#open = false
      // Until a request succeeds as well, one failure opens the breaker again.
      this.#failures = THRESHOLD - 1
    } catch (error) {
      this.#scheduleProbe()
      this.#report(error)
    } finally {
      if (this.#probedAt === began) this.#probedAt = undefined
    }
  }

  // Jitter, so that many processes do not probe a recovering store at the same instant.
  #scheduleProbe(): void {
    this.#nextProbe = this.#now() + PROBE_MS * (0.75 + Math.random() / 2)
  }
}

const clock = performance.now.bind(performance)
const THRESHOLD = 3
const PROBE_MS = 500
const QUIET_MS = 1_000
// On Workers a probe never ends if the request that started it ends first.
const LOST_MS = 30_000
