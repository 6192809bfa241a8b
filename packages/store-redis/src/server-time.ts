import { ALGORITHM_KINDS, type BatchRules, BUCKET, type Group, WINDOW } from '@halt/core/store'

/**
 * Guesses the second that the server's clock shows, so that the reply to the commonest call can be one number. A wrong guess
 * makes that reply a list, and nothing else.
 */
export class ServerSecond {
  // Milliseconds by which the server's clock is ahead of performance.now().
  #lead: number | undefined
  #guess = ''
  // The guess holds until this instant of performance.now().
  #end = 0

  /**
   * The second since the Unix epoch, as text; empty before the first reply.
   *
   * @param now performance.now()
   */
  at(now: number): string {
    if (this.#lead === undefined || now < this.#end) return this.#guess
    const second = Math.floor((now + this.#lead) / 1000)
    this.#end = (second + 1) * 1000 - this.#lead
    this.#guess = String(second)
    return this.#guess
  }

  /**
   * Notes the server's clock in a reply.
   *
   * @param instant the server's clock in microseconds
   * @param sent performance.now() when the call was sent
   */
  observe(instant: number, sent: number): void {
    this.#lead = instant / 1000 - sent
    this.#end = 0
  }
}

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
