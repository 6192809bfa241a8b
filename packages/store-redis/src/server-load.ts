import { ALGORITHM_KINDS, type BatchRules, BUCKET, type Group, WINDOW } from '@halt/core/store'

// The most load of one call, in units of loadOf: such a call holds the server for 1 to 2 ms.
const MAX_CALL_LOAD = 512
// The most load that may be pending, because Redis serves everything that one connection has sent before it serves another.
// Beyond it a call is sent with each reply, and one per millisecond without replies.
const MAX_PENDING_LOAD = 4 * MAX_CALL_LOAD
// With so many checks waiting, a second call pays: the server decides the first call while this process writes the second.
const MIN_PARALLEL_CHECKS = 24

/** How checks share the calls of one connection. */
export const BATCH_RULES: BatchRules = {
  loadOf,
  maxLoad: MAX_CALL_LOAD,
  minParallel: MIN_PARALLEL_CHECKS,
  isWorthCall: (pending, waiting) =>
    pending.load < MAX_PENDING_LOAD &&
    (pending.count === 1 ? waiting.count >= MIN_PARALLEL_CHECKS : waiting.load >= MAX_CALL_LOAD),
  hasRoom: ({ load }) => load < MAX_PENDING_LOAD,
}

/**
 * How long a group keeps the server busy, in units of one token bucket on the general path of the script, which takes Redis
 * about 3 µs. By measurement a window takes two units, a sliding window two and half a unit for each sub-window, a penalty or
 * an idempotency key one. The fast paths take half as long.
 */
export function loadOf({ demands, penalty, idempotency }: Group): number {
  let load = (penalty === undefined ? 0 : 1) + (idempotency === undefined ? 0 : 1)
  for (const { rule } of demands) {
    const kind = ALGORITHM_KINDS[rule.code]
    load += kind === BUCKET ? 1 : kind === WINDOW ? 2 : 2 + rule.precision / 2
  }
  // An empty group has a part in the call and in the reply, too.
  return load === 0 ? 1 : load
}
