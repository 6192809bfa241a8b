import type { RateLimiter, RatePolicy } from '@halt/core'

/** A policy whose units this process takes in advance. */
export const LEASED = {
  name: 'leased',
  limit: 300,
  window: 3600,
  lease: { share: 0.1, idle: '200ms' },
} as const satisfies RatePolicy

/** The time in which one unit comes back, in milliseconds. */
const REFILL_MS = (LEASED.window * 1000) / LEASED.limit
const TICK_MS = 5

/** One busy key of a leased policy: 200 requests per second, until the limit is used up and beyond. */
export class LeasedKey {
  readonly #limiter: RateLimiter
  readonly #timer: NodeJS.Timeout
  readonly #out = new Set<Promise<void>>()
  readonly #began = performance.now()
  #admitted = 0

  constructor(limiter: RateLimiter) {
    this.#limiter = limiter
    this.#timer = setInterval(() => this.#ask(), TICK_MS)
  }

  /** Stops asking. Resolves to the units that were admitted beyond the limit. */
  async stop(): Promise<number> {
    clearInterval(this.#timer)
    await Promise.all(this.#out)
    const refilled = Math.floor((performance.now() - this.#began) / REFILL_MS)
    return Math.max(0, this.#admitted - LEASED.limit - refilled)
  }

  #ask(): void {
    const call = this.#limiter
      .consume('leased', { policy: LEASED })
      .then(
        ({ allowed }) => void (this.#admitted += allowed ? 1 : 0),
        () => undefined,
      )
      .finally(() => this.#out.delete(call))
    this.#out.add(call)
  }
}
