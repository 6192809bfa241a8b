import type { Algorithm } from './rule.ts'
import { slidingWindow } from './sliding-window.ts'

/**
 * Concurrency: at most `limit` requests in flight. It is a sliding window over leases: a request in flight is a unit that
 * leaves after `ttl`, unless its release refunds it before.
 *
 * Leases share no sub-windows, unless there can be more of them than `precision`.
 */
export const concurrency: Algorithm = { ...slidingWindow, isFlight: true }
