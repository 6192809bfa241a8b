import type { ByRank } from '../base/tiers.ts'

const EVERY_MS = 200
const SMOOTHING = 0.3
/** A tier is safe while it and all above it need no more than this share of what the process completes. */
const FITS = 0.9
const SHARES: ByRank = [1, 0.9, 0.5]
const SAFE_LEAST = 20
const SAFE_FACTOR = 4
// Arrivals per second below which nobody uses a tier.
const PRESENT = 0.5

/**
 * Divides the places among the tiers by whether they fit: a tier that, with all above it, arrives more slowly than the process
 * completes requests, is never the cause of the overload, so it may pass the limit. The others get shares of it.
 *
 * Fixed shares alone fail for handlers that use the processor, because the limit there is 2 to 4, and half of 2 is no share.
 */
export class TierFit {
  readonly #arrived: ByRank = [0, 0, 0]
  readonly #rates: ByRank = [0, 0, 0]
  readonly #shares: ByRank = [1, 1, 1]
  readonly #safe: [boolean, boolean, boolean] = [false, false, false]
  #completed = 0
  #completing = 0
  #since: number
  #isFirst = true

  constructor(now: number) {
    this.#since = now
  }

  /** Notes a request, and takes what came and left into the rates once in a while. */
  arrive(rank: number, now: number): void {
    if (now - this.#since >= EVERY_MS) this.#update(now)
    this.#arrived[rank]!++
  }

  complete(): void {
    this.#completed++
  }

  /** Whether a tier and all above it are not the cause of an overload. */
  isSafe(rank: number): boolean {
    return this.#safe[rank]!
  }

  /** The number of requests in flight at which a tier is refused. */
  placesOf(rank: number, limit: number): number {
    return this.#safe[rank]!
      ? Math.max(SAFE_LEAST, SAFE_FACTOR * limit)
      : Math.max(1, Math.ceil(limit * this.#shares[rank]! - 1e-9))
  }

  #update(now: number): void {
    const seconds = (now - this.#since) / 1000
    this.#since = now
    // A long time without requests says nothing about the rates within it.
    const weight = this.#isFirst ? 1 : SMOOTHING
    this.#isFirst = false
    this.#completing += (this.#completed / seconds - this.#completing) * weight
    this.#completed = 0
    let sum = 0
    let top = 0
    for (let rank = 0; rank < 3; rank++) {
      const rate = (this.#rates[rank]! += (this.#arrived[rank]! / seconds - this.#rates[rank]!) * weight)
      this.#arrived[rank] = 0
      // The most important tier that anybody uses has the whole limit.
      if (top === 0 && (rate > PRESENT || rank === 2)) top = SHARES[rank]!
      sum += rate
      this.#safe[rank] = rate > 0 && sum <= FITS * this.#completing
      this.#shares[rank] = top === 0 ? 1 : Math.min(1, SHARES[rank]! / top)
    }
  }
}
