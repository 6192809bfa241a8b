import type { CheckOptions } from './check-options.ts'
import type { Turn } from './turn.ts'

/** The facts of a call that the limiter adds to the user's options. A user cannot set them. */
interface Circumstances {
  /** How long the quotas of the call hold their units, in microseconds. Absent if they charge them. */
  readonly ttl?: number | undefined
  /** The caller that waits for its turn. Absent if the caller takes a refusal. */
  readonly turn?: Turn | undefined
  /** When the decision began, in milliseconds. Absent if nobody listens. */
  readonly started?: number | undefined
  /** Whether the counters are asked for even if operators block the client or let it pass. */
  readonly countersOnly?: boolean | undefined
}

/**
 * The wishes of one call: cost, address, keys, and whether it charges. The limiter reads them once from the user's options, so a
 * later change of the options has no effect on the call.
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

/** A peek at counters, even if operators block their client or let it pass. */
export const PEEK_COUNTERS: Ask = Object.freeze({ ...PEEK, countersOnly: true })
