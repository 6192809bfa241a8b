import { describe } from '../base/errors.ts'
import { checkNames, fail, namesOf } from '../base/options-check.ts'
import type { Policy } from '../policy/policy.ts'
import { type Cost, checkCost, checkLeast, type WHOLE_LIMIT } from '../policy/cost.ts'
import type { QueuedCaller } from './check.ts'
import type { PriorGuards } from './prior-guards.ts'

/** Options of one check. */
export interface CheckOptions<R = unknown> {
  /** The cost in units: a number for every policy, or numbers by policy name. Default: each policy's own cost. */
  readonly cost?: Cost | typeof WHOLE_LIMIT | undefined
  /**
   * The fewest units that the call accepts, where the whole cost does not fit: a number for every policy that takes the call's
   * cost, or numbers by policy name. `decision.cost` then says how many were charged. Default: the whole cost.
   */
  readonly least?: Cost | undefined
  /** For guards. Replaces a `cost` by name whose names are not all policies of the limiter. */
  readonly costOnError?: Cost | typeof WHOLE_LIMIT | undefined
  /** Policies that decide instead of the limiter's own. */
  readonly policy?: Policy<R> | readonly Policy<R>[] | undefined
  /** Policies that decide in addition. All policies are charged, or none is. */
  readonly also?: Policy<R> | readonly Policy<R>[] | undefined
  /** The client's address, when your code knows it better than Halt. */
  readonly ip?: string | undefined
  /** Calls with the same key are charged once. An empty key counts as no key. */
  readonly idempotencyKey?: string | undefined
  /** @internal For guards. What earlier guards decided for this request. The check charges only the units that they did not charge. */
  readonly priorGuards?: PriorGuards | undefined
}

/** Options of a peek, which charges nothing. */
export type PeekOptions<R = unknown> = Pick<CheckOptions<R>, 'policy' | 'also' | 'ip'>

const CALL_OPTIONS = namesOf<Omit<CheckOptions, 'costOnError' | 'priorGuards'>>({
  cost: true,
  least: true,
  policy: true,
  also: true,
  ip: true,
  idempotencyKey: true,
})
const PEEK_OPTIONS = namesOf<PeekOptions>({ policy: true, also: true, ip: true })
/** The options of a call that gives none. */
export const NO_OPTIONS: Readonly<Record<string, never>> = Object.freeze({})

/**
 * Checks the options of a user's call: their names, for JavaScript users, and their values.
 *
 * @throws HaltError `HALT_E_COST`, `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`
 */
export function checkCallOptions(options: CheckOptions<never>): void {
  if (options === NO_OPTIONS) return
  checkNames(options as Readonly<Record<string, unknown>>, CALL_OPTIONS, 'The call')
  checkOptionValues(options)
}

/** Checks the options of a peek. @throws HaltError `HALT_E_UNKNOWN_FIELD` */
export function checkPeekOptions(options: PeekOptions<never>): void {
  checkNames(options as Readonly<Record<string, unknown>>, PEEK_OPTIONS, 'The call')
}

/**
 * Checks the option values that do not depend on the request.
 *
 * @throws HaltError `HALT_E_COST`, `HALT_E_LEAST`, `HALT_E_OPTION`
 */
export function checkOptionValues({ cost, least, idempotencyKey }: CheckOptions<never>): void {
  checkCost(cost)
  if (least !== undefined) checkLeast(least, cost)
  checkIdempotencyKey(idempotencyKey)
}

/** Checks an idempotency key. @throws HaltError `HALT_E_OPTION` */
export function checkIdempotencyKey(key: unknown): void {
  if (key === undefined || typeof key === 'string') return
  fail('HALT_E_OPTION', `idempotencyKey is ${describe(key)}.`, 'Give a string, or leave it out.')
}

/**
 * The wishes of one call: cost, address, keys, and whether it charges. The limiter reads them once from the user's options, so a
 * later change of the options has no effect on the call.
 */
export interface Ask extends Pick<CheckOptions, 'cost' | 'least' | 'costOnError' | 'ip' | 'idempotencyKey'> {
  // The declaration of `CheckOptions` leaves this field out, so `Ask` names it.
  readonly priorGuards?: PriorGuards | undefined
  // The limiter adds the rest to the user's options. A user cannot set it.
  /** How long the quotas of the call hold their units, in microseconds. Absent if they charge them. */
  readonly ttl?: number | undefined
  /** The caller that waits for its turn. Absent if the caller takes a refusal. */
  readonly queued?: QueuedCaller | undefined
  /** When the decision began, in milliseconds. Absent if nobody listens. */
  readonly started?: number | undefined
  /** Whether the counters are asked for even if operators block the client or let it pass. */
  readonly countersOnly?: boolean | undefined
  /** Whether an allowed call is charged. A peek charges nothing, and nobody is told of it. */
  readonly mode: 'charge' | 'peek'
}

/** Makes what a call with these options asks: a charge. */
export function askOf(
  { cost, least, costOnError, ip, idempotencyKey, priorGuards }: CheckOptions<never>,
  { ttl, queued, started }: Pick<Ask, 'ttl' | 'queued' | 'started'> = {},
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
    queued,
    started,
  }
}

/** A charge without options. */
export const CHARGE: Ask = Object.freeze(askOf({}))
/** A peek without options. */
export const PEEK: Ask = Object.freeze({ ...CHARGE, mode: 'peek' })

/** A peek at counters, even if operators block their client or let it pass. */
export const PEEK_COUNTERS: Ask = Object.freeze({ ...PEEK, countersOnly: true })
