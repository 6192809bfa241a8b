import type { CheckOptions } from './check-options.ts'
import type { Turn } from './turn.ts'

/** What a call adds to its options on its way to the check. No option of a user can say it. */
interface Circumstances {
  /** How long the quotas of the call hold their units, in microseconds. Absent if they charge them. */
  readonly ttl?: number | undefined
  /** The caller that waits for its turn. Absent if the caller takes a refusal. */
  readonly turn?: Turn | undefined
  /** When the decision began, in milliseconds. Absent if nobody listens. */
  readonly started?: number | undefined
}

/**
 * What one call asks of a limiter, besides its client and its policies. It is made once, where the call comes in, so a user who
 * changes the options afterwards changes nothing.
 */
export interface Ask
  extends
    Circumstances,
    Pick<CheckOptions, 'cost' | 'least' | 'costOnError' | 'ip' | 'idempotencyKey' | 'priorGuards'> {
  /** Whether an allowed call is charged. A peek charges nothing, and nobody is told of it. */
  readonly mode: 'charge' | 'peek'
}

const NOTHING: Circumstances = Object.freeze({})

/** Makes what a call with these options asks: a charge. */
export function askOf(
  { cost, least, costOnError, ip, idempotencyKey, priorGuards }: CheckOptions<never>,
  { ttl, turn, started }: Circumstances = NOTHING,
): Ask {
  return {
    mode: 'charge',
    cost,
    least,
    costOnError,
    ip,
    idempotencyKey,
    priorGuards,
    ttl,
    turn,
    started,
  }
}

/** A charge without options. */
export const CHARGE: Ask = Object.freeze(askOf({}))
/** A peek without options. */
export const PEEK: Ask = Object.freeze({ ...CHARGE, mode: 'peek' })

/** Makes what a peek asks. */
export function peekOf(ip: string | undefined): Ask {
  return ip === undefined ? PEEK : { ...PEEK, ip }
}
