import type { RatePolicy } from '@halt/core'

import type { Job } from './load.ts'

/** The share of the units left that a process holds, and the longest time for which it does. */
export const LEASE = { share: 0.02, idle: '200ms' } as const

/** What the service allows, for all clients together. */
export function serviceLimit({ limit, isLeased }: Job): RatePolicy {
  return {
    name: 'service',
    limit,
    window: '1h',
    algorithm: 'fixed-window',
    ...(isLeased && { lease: LEASE }),
  }
}
