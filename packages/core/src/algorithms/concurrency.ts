import type { Algorithm } from './algorithm.ts'
import { slidingWindow } from './sliding-window.ts'

/**
 * Concurrency: at most `limit` requests in flight at a time.
 *
 * Each request takes a permit. A permit is one unit of a sliding window: it ends after `ttl`, or earlier when the release of the
 * request refunds it. Each permit has its own sub-window, unless `limit` exceeds `precision`.
 *
 * Source: a counting semaphore whose permits are leases (Gray and Cheriton, 1989).
 */
export const concurrency: Algorithm = {
  ...slidingWindow,
  isFlight: true,
  // A permit that was given back leaves no trace.
  lastCharge: (state, now, rule) => ({ ...slidingWindow.lastCharge(state, now, rule), to: now }),
}
