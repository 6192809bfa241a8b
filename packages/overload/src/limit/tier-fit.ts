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
  #rates: ByRank = [0, 0, 0]
  #completed = 0
  #completing = 0
  #since: number
  #isFirst = true

  /** @param like one whose rates it begins with */
  constructor(now: number, like?: TierFit) {
    this.#since = now
    if (like === undefined) return
    this.#rates = [...like.#rates]
    this.#completing = like.#completing
    this.#isFirst = false
  }

  arrive(rank: number): void {
    this.#arrived[rank]!++
  }

  complete(count: number): void {
    this.#completed += count
  }

  /** Whether {@link update} has something to do. */
  isDue(now: number): boolean {
    return now - this.#since >= EVERY_MS
  }

  /** Takes what came and left since the last update into the rates. */
  update(now: number): void {
    const seconds = (now - this.#since) / 1000
    this.#since = now
    // A long time without requests says nothing about the rates within it.
    const weight = this.#isFirst ? 1 : SMOOTHING
    this.#isFirst = false
    for (let rank = 0; rank < 3; rank++) {
      this.#rates[rank]! += (this.#arrived[rank]! / seconds - this.#rates[rank]!) * weight
      this.#arrived[rank] = 0
    }
    this.#completing += (this.#completed / seconds - this.#completing) * weight
    this.#completed = 0
  }

  /** Writes the number of requests in flight at which each tier is refused. */
  divide(limit: number, places: ByRank): void {
    let sum = 0
    let top = 0
    for (let rank = 0; rank < 3; rank++) {
      const share = SHARES[rank]!
      const rate = this.#rates[rank]!
      // The most important tier that anybody uses has the whole limit.
      if (top === 0 && (rate > PRESENT || rank === 2)) top = share
      sum += rate
      const isSafe = rate > 0 && sum <= FITS * this.#completing
      places[rank] = isSafe
        ? Math.max(SAFE_LEAST, SAFE_FACTOR * limit)
        : Math.max(1, Math.ceil(limit * (top === 0 ? 1 : Math.min(1, share / top)) - 1e-9))
    }
  }
}
