import type { Group } from '@halt/core/store'

import { SCRIPT_KINDS } from './script-protocol.ts'

/**
 * How long a group holds the server, in units: one is a token bucket, about 3 µs of Redis. Measured: a window takes two,
 * a sliding window two and half a unit for each of its sub-windows, a penalty or an idempotency key two.
 */
export function loadOf({ demands, penalty, idempotency }: Group): number {
  let load = (penalty === undefined ? 0 : 2) + (idempotency === undefined ? 0 : 2)
  for (const { rule } of demands) {
    const kind = SCRIPT_KINDS[rule.code]
    load += kind === 0 ? 1 : kind === 1 ? 2 : 2 + rule.precision / 2
  }
  // A group of nothing takes its place in the call, too.
  return load === 0 ? 1 : load
}
