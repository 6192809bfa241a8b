import type { Group } from '@halt/core/store'

import { SCRIPT_KINDS } from './script-protocol.ts'

/**
 * How long a group keeps the server busy, in units of one token bucket on the general path of the script, which takes Redis
 * about 3 µs. By measurement a window takes two units, a sliding window two and half a unit for each sub-window, a penalty or
 * an idempotency key one. The fast paths take half as long.
 */
export function loadOf({ demands, penalty, idempotency }: Group): number {
  let load = (penalty === undefined ? 0 : 1) + (idempotency === undefined ? 0 : 1)
  for (const { rule } of demands) {
    const kind = SCRIPT_KINDS[rule.code]
    load += kind === 0 ? 1 : kind === 1 ? 2 : 2 + rule.precision / 2
  }
  // An empty group has a part in the call and in the reply, too.
  return load === 0 ? 1 : load
}
