import { parseDuration, type Duration } from '../base/duration.ts'
import { HaltError } from '../base/errors.ts'
import type { CheckOptions } from '../check/check-options.ts'
import type { Decision } from '../check/decision.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { checkCost, type Cost } from '../policy/cost.ts'

/** Options of a reservation. */
export interface ReserveOptions<R = unknown> extends CheckOptions<R> {
  /**
   * Holds the units of the quotas of the call instead of charging them. What is neither used nor given back is free again after this
   * time, from 1 s to 24 h, or up to a quarter of it later: so a process that dies locks nothing. While this process lives, it keeps the
   * units held. Default: the units are charged at once.
   */
  readonly ttl?: Duration | undefined
  /**
   * How many units `charge` pays ahead with one call of the store: a number for all quotas, or numbers by policy name. Default: a
   * tenth of the units that were reserved.
   */
  readonly chunk?: Cost | undefined
}

const SECOND = 1e6
const DAY = 86_400 * SECOND

/**
 * Reads how long a call holds its units, in microseconds; undefined if it charges them.
 *
 * @param policies the policies of the call, if they are known before it
 * @throws HaltError `HALT_E_TTL`, `HALT_E_COST`
 */
export function readTtl(
  { ttl, chunk, idempotencyKey }: ReserveOptions<never>,
  policies: readonly CompiledPolicy[] | undefined,
): number | undefined {
  checkCost(chunk)
  if (ttl === undefined) return undefined
  const micros = parseDuration(ttl, 'ttl', 'HALT_E_TTL')
  if (micros < SECOND || micros > DAY)
    throw new HaltError('HALT_E_TTL', `ttl is ${micros / SECOND} s.`, 'Give a time from 1 s to 24 h.')
  if (idempotencyKey)
    throw new HaltError(
      'HALT_E_TTL',
      'A call with an idempotencyKey cannot hold units, because a repeat of it would hold none.',
      'Leave out ttl or idempotencyKey.',
    )
  if (policies !== undefined && policies.every(({ calendar }) => calendar === undefined))
    throw new HaltError(
      'HALT_E_TTL',
      `ttl is for quotas, and the call has none: ${policies.map(({ name }) => `"${name}"`).join(', ')}.`,
      'Give the budget a period, as in { name, limit, period: "monthly" }, or leave out ttl.',
    )
  return micros
}

/** A call that was charged, or whose units are held, in advance. Its functions need no `this`. */
export interface Reservation {
  readonly decision: Decision
  /**
   * Charges units to the quotas of the call while it runs: a number for all of them, or numbers by policy name. Pays from the units
   * that the call holds, then from what is left of the quotas: all are charged, or none. Call it before the units are used. It asks
   * the store once per `chunk`.
   *
   * @returns false if a quota is used up, if the call was refused or has ended, or if the limiter is closed. Then nothing was charged
   * @throws HaltError `HALT_E_COST`
   */
  charge(more: Cost): Promise<boolean>
  /**
   * Corrects the charge to the units really used, of all policies of the call, and ends the call. A quota that a cost by name leaves out
   * is charged what `charge` was told, or what was reserved if it was told nothing. A number has the unit of
   * the quotas. Works once.
   */
  settle(actual: Cost): Promise<void>
  /** Gives the whole charge back, unless it was settled before, and ends the call. */
  cancel(): Promise<void>
  /**
   * Aborted if the units that the call held were lost: their time was over, because this process was stopped for longer than `ttl` or
   * the store was away, and others have used them meanwhile.
   */
  readonly signal: AbortSignal
  /** The decision of the last `charge` that was refused: which quota is used up, and when it begins anew. */
  readonly refusal: Decision | undefined
}
