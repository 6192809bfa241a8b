import { type Decision, RateLimiter, type RateLimiterOptions, type Telemetry } from '@halt/core'

/** Ten units, one back each second: slow enough to be watched. */
const BUCKET = { name: 'live_bucket', limit: 10, window: '10s' } as const
const WHO = { custom: 'live' } as const

/** How full the bucket is. */
export interface BucketLevel {
  readonly limit: number
  readonly perSecond: number
  readonly remaining: number
}

/** A real bucket in the app's own store, to drain by hand and to watch refill. */
export class Bucket {
  readonly #limiter: RateLimiter

  constructor(store: RateLimiterOptions['store'], telemetry: Telemetry) {
    this.#limiter = new RateLimiter({ store, policy: BUCKET, telemetry })
  }

  /** Takes some units, all or none. */
  take(cost: number): Promise<Decision> {
    return this.#limiter.consume(WHO, { cost })
  }

  /** Takes nothing. */
  async level(): Promise<BucketLevel> {
    const { remaining } = await this.#limiter.peek(WHO)
    return { limit: BUCKET.limit, perSecond: 1, remaining }
  }
}
