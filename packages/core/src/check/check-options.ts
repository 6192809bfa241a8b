import type { AnyPolicy } from '../policy/compiled-policy.ts'
import { type Cost, checkCost, type WHOLE_LIMIT } from '../policy/cost.ts'
import { describe } from '../base/describe.ts'
import type { PriorGuards } from './prior-guards.ts'
import { HaltError } from '../base/errors.ts'
import { checkNames, namesOf } from '../base/options-check.ts'

/** Options of one check. */
export interface CheckOptions<R = unknown> {
  /** Units: a number for every policy, or by policy name. Default each policy's own. */
  readonly cost?: Cost | typeof WHOLE_LIMIT | undefined
  /** Taken instead of a `cost` by name that names something else than policies of the limiter. For guards. */
  readonly costOnError?: Cost | typeof WHOLE_LIMIT | undefined
  /** Decides instead of the limiter's policies. */
  readonly policy?: AnyPolicy<R> | readonly AnyPolicy<R>[] | undefined
  /** Decides beside them, all charged or none. */
  readonly also?: AnyPolicy<R> | readonly AnyPolicy<R>[] | undefined
  /** The client's address, where the caller knows better. */
  readonly ip?: string | undefined
  /** The same key is charged once. An empty one is none. */
  readonly idempotencyKey?: string | undefined
  /** What has become of the request at guards before: only what they have not charged is taken. For guards. */
  readonly priorGuards?: PriorGuards | undefined
}

/** Options of a look that charges nothing. */
export type PeekOptions<R = unknown> = Pick<CheckOptions<R>, 'policy' | 'also' | 'ip'>

/** What a check asks beside the policies. */
export interface CheckParameters extends Pick<
  CheckOptions,
  'cost' | 'costOnError' | 'idempotencyKey' | 'priorGuards'
> {
  /** When the decision began, milliseconds; absent when nobody asks. */
  readonly started?: number
}

/** Asks what a check would be told, and takes nothing. By identity, so that no option of a call can say it. */
export const PEEK: CheckParameters = Object.freeze({})

const CALL = namesOf<Omit<CheckOptions, 'costOnError' | 'priorGuards'>>({
  cost: true,
  policy: true,
  also: true,
  ip: true,
  idempotencyKey: true,
})
const LOOK = namesOf<PeekOptions>({ policy: true, also: true, ip: true })
/** The options of a call that says nothing. */
export const NO_OPTIONS: Readonly<Record<string, never>> = Object.freeze({})

/**
 * Checks what a user's call says: its names, for JavaScript users, and its values.
 *
 * @throws HaltError `HALT_E_COST`, `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`
 */
export function checkCall(options: CheckOptions<never>): void {
  if (options === NO_OPTIONS) return
  checkNames(options as Readonly<Record<string, unknown>>, CALL, 'The call')
  checkValues(options)
}

/**
 * Checks what a user's look says, which charges nothing.
 *
 * @throws HaltError `HALT_E_UNKNOWN_FIELD`
 */
export function checkLook(options: PeekOptions<never>): void {
  checkNames(options as Readonly<Record<string, unknown>>, LOOK, 'The call')
}

/**
 * Checks the values of a call, whatever the request.
 *
 * @throws HaltError `HALT_E_COST`, `HALT_E_OPTION`
 */
export function checkValues({ cost, idempotencyKey }: CheckOptions<never>): void {
  checkCost(cost)
  checkIdempotencyKey(idempotencyKey)
}

/**
 * Checks the key by which a call is charged once.
 *
 * @throws HaltError `HALT_E_OPTION`
 */
export function checkIdempotencyKey(key: unknown): void {
  if (key === undefined || typeof key === 'string') return
  throw new HaltError('HALT_E_OPTION', `idempotencyKey is ${describe(key)}.`, 'Give a text, or leave it out.')
}
