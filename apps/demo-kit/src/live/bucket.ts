import { type Decision, RateLimiter, type RateLimiterOptions, type Telemetry } from '@halt/core'

/** Ten units; one comes back per second, slow enough to watch. */
const BUCKET = { name: 'live_bucket', limit: 10, window: '10s' } as const
const WHO = { custom: 'live' } as const

/** The level of the bucket. */
export interface BucketLevel {
  readonly limit: number
  readonly perSecond: number
  readonly remaining: number
}

/** A real bucket in the app's store, which a visitor can drain and watch refill. */
export class Bucket {
  readonly #limiter: RateLimiter

  constructor(store: RateLimiterOptions['store'], telemetry: Telemetry) {
    this.#limiter = new RateLimiter({ store, policy: BUCKET, telemetry })
  }

  /** Takes the given units, or none. */
  take(cost: number): Promise<Decision> {
    return this.#limiter.consume(WHO, { cost })
  }

  /** Reads the level. */
  async level(): Promise<BucketLevel> {
    const { remaining } = await this.#limiter.peek(WHO)
    return { limit: BUCKET.limit, perSecond: 1, remaining }
  }
}
