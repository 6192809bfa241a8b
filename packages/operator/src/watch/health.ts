/** The health of the store. */
export interface StoreHealth {
  readonly kind: string
  /**
   * What decided last: the store, or instead `local`, `open` or `closed`. `unknown` if nothing was decided yet, or not since the store
   * failed.
   */
  readonly decides: 'store' | 'local' | 'open' | 'closed' | 'unknown'
  /** The start of this state, in Unix milliseconds. */
  readonly since: number
  readonly errors: number
  readonly lastError: { readonly failure: string; readonly at: number } | undefined
  /** How long the last decisions took, in milliseconds; undefined before the first. */
  readonly median: number | undefined
  readonly p95: number | undefined
}

/** The number of durations that are kept. */
const KEPT = 512

/** Records whether the store answers, and how fast. */
export class Health {
  #kind: string
  #decides: StoreHealth['decides'] = 'unknown'
  #since: number
  #errors = 0
  #lastError: StoreHealth['lastError']
  readonly #durations = new Float64Array(KEPT)
  #count = 0

  constructor(kind: string, now: number) {
    this.#kind = kind
    this.#since = now
  }

  decided(
    degraded: false | 'local' | 'open' | 'closed',
    kind: string,
    durationMs: number,
    now: number,
  ): void {
    this.#turn(degraded === false ? 'store' : degraded, now)
    this.#kind = kind
    this.#durations[this.#count++ % KEPT] = durationMs
  }

  failed(failure: string, kind: string, now: number): void {
    this.#errors++
    this.#kind = kind
    this.#lastError = { failure, at: now }
    if (this.#decides === 'store') this.#turn('unknown', now)
  }

  /** The store answers again. */
  recovered(now: number): void {
    this.#turn('store', now)
  }

  #turn(decides: StoreHealth['decides'], now: number): void {
    if (decides === this.#decides) return
    this.#decides = decides
    this.#since = now
  }

  read(): StoreHealth {
    const sorted = this.#durations.slice(0, Math.min(this.#count, KEPT)).sort()
    const at = (share: number): number | undefined => sorted[Math.floor(share * (sorted.length - 1))]
    return {
      kind: this.#kind,
      decides: this.#decides,
      since: this.#since,
      errors: this.#errors,
      lastError: this.#lastError,
      median: at(0.5),
      p95: at(0.95),
    }
  }
}
