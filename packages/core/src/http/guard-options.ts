import { hintFor } from '#suggestion'

import type { Policy } from '../policy/policy.ts'
import { checkCost, type Cost } from '../policy/cost.ts'
import { describe } from '../base/errors.ts'
import type { Awaitable } from '../base/promises.ts'
import { checkNames, checkType, fail, namesOf } from '../base/options-check.ts'
import { checkDelay, type DelayOptions } from './delay.ts'
import type { HeaderDialect } from './headers.ts'
import { ERROR_FORMATS, type ErrorFormat } from './refusal.ts'

/** The options of every adapter that read nothing of a request. */
export interface AnswerOptions {
  /**
   * The cost when the cost function fails. Default: the limit of each rate policy, because a body that breaks the function
   * must not be cheap.
   */
  readonly costOnError?: Cost | undefined
  /** How the response reports the limit. Default `"standard"`. */
  readonly headers?: HeaderDialect | undefined
  /**
   * The format of a refusal's body. `"detailed"` adds reason, policy, limit, remaining and reset to the JSON; `"problem"` is
   * problem details (RFC 9457). Default `"json"`.
   */
  readonly errorFormat?: ErrorFormat | undefined
  /** The status of a refusal, 400 to 599. Default 429. */
  readonly statusCode?: number | undefined
  /** Whether CORS preflights pass uncounted. Default true. */
  readonly skipPreflight?: boolean | undefined
  /** Holds a request until it is its turn, instead of refusing it. Default: no request is held. */
  readonly delay?: DelayOptions | undefined
}

/** The options of every adapter that read a request. */
// No interface: editors show no text for an option of a generic interface in two members of a union, and the options of a limiter
// are one. No Omit<…> either: TypeScript 7 shows no text for its fields.
export type RequestOptions<R> = {
  /** The cost of a request in units: a number for every policy, numbers by policy name, or a function that returns either. */
  readonly cost?: Cost | ((request: R) => Awaitable<Cost>) | undefined
  /** Whether a request is not counted at all. A request for which it fails is counted. */
  readonly skip?: ((request: R) => Awaitable<boolean>) | undefined
  /** Returns the key under which a repeated request is charged once, such as its `Idempotency-Key`, or nothing for none. */
  readonly idempotencyKey?: ((request: R) => string | null | undefined) | undefined
}

/** The option of every adapter that reads a response. */
type ChargeOptions<S> = {
  /**
   * Called with the response once its status is decided. When it returns false, the charge is refunded. It is not called for a
   * request that was aborted before. Such a request stays charged, and so does one for which this function fails.
   */
  readonly chargeWhen?: ((response: S) => Awaitable<boolean>) | undefined
}

/** Options that all adapters share, without `policy`. `R` is the framework's request type, `S` its response type. */
export type GuardSettings<R = unknown, S = unknown> = AnswerOptions & RequestOptions<R> & ChargeOptions<S>

/** Options that all adapters share. `R` is the framework's request type, `S` its response type. */
export interface GuardOptions<R = unknown, S = unknown>
  extends AnswerOptions, RequestOptions<R>, ChargeOptions<S> {
  /** Policies that decide instead of the limiter's own. */
  readonly policy?: Policy<R> | readonly Policy<R>[] | undefined
}

/** The names of {@link GuardOptions}. */
const GUARD_OPTIONS: readonly string[] = namesOf<GuardOptions>({
  cost: true,
  costOnError: true,
  skip: true,
  headers: true,
  errorFormat: true,
  statusCode: true,
  skipPreflight: true,
  chargeWhen: true,
  idempotencyKey: true,
  delay: true,
  policy: true,
})

/**
 * Checks the options that all adapters share. With `own`, it also refuses unknown names.
 *
 * @param own the names of the adapter's own options
 * @param owner the function that got the options, for messages
 * @throws HaltError `HALT_E_OPTION`, `HALT_E_COST`, `HALT_E_MAX_WAIT`, `HALT_E_UNKNOWN_FIELD`
 */
export function checkGuardOptions(
  options: GuardOptions,
  own: readonly string[] = [],
  owner = 'halt()',
): void {
  const fields = options as Record<string, unknown>
  if (own.length > 0) {
    checkShape(options, owner)
    checkPlace(options, owner)
    checkNames(fields, [...GUARD_OPTIONS, ...own], owner)
  }
  for (const name of ['skip', 'chargeWhen', 'idempotencyKey', 'onLimited'])
    checkType(fields, name, 'function', 'HALT_E_OPTION')
  const { cost, costOnError, statusCode, errorFormat, delay } = options
  if (typeof cost !== 'function') checkCost(cost)
  checkCost(costOnError)
  checkDelay(delay)
  if (statusCode !== undefined && !(Number.isInteger(statusCode) && statusCode >= 400 && statusCode <= 599)) {
    fail('HALT_E_OPTION', `statusCode is ${describe(statusCode)}.`, 'Give a status from 400 to 599.')
  }
  if (errorFormat !== undefined && !ERROR_FORMATS.includes(errorFormat)) {
    const fix = 'Choose "json", "detailed" or "problem".'
    fail('HALT_E_OPTION', `errorFormat is ${describe(errorFormat)}.`, fix)
  }
}

const OF_POLICIES: readonly string[] = ['window', 'burst', 'algorithm', 'keyStrategy', 'keyExtractor']
// Names of policy options in other rate limiters.
const OF_OTHERS: readonly string[] = ['max', 'windowMs', 'timeWindow', 'points', 'duration', 'keyGenerator']
const INTO_POLICY = 'Put limit, window and the like into a policy: { policy: { name, limit, window } }.'

function checkPlace(options: object, owner: string): void {
  const name = [...OF_POLICIES, ...OF_OTHERS].find(each => each in options)
  if (name === undefined) return
  const hint = OF_OTHERS.includes(name) ? `${hintFor(name, ['limit', ...OF_POLICIES])} ` : ''
  fail('HALT_E_UNKNOWN_FIELD', `${owner} has an unknown field "${name}".`, hint + INTO_POLICY)
}

// The values that are most often passed instead of options.
function checkShape(options: unknown, owner: string): void {
  if (typeof options === 'object' && options !== null && 'limit' in options) {
    const { name = 'api', limit, window = '1m' } = options as Record<string, unknown>
    const policy = `{ name: ${describe(name)}, limit: ${describe(limit)}, window: ${describe(window)} }`
    const message = `${owner} got the fields of a policy instead of its options.`
    fail('HALT_E_OPTION', message, `Write { policy: ${policy} }.`)
  }
  const fix =
    typeof (options as { check?: unknown } | undefined)?.check === 'function'
      ? 'Give { limiter }.'
      : typeof options !== 'object' || options === null
        ? 'Give { policy } or { limiter }.'
        : Array.isArray(options)
          ? 'Put policies into { policy: [ … ] }.'
          : 'app' in options || '_events' in options
            ? 'Call halt: app.use(halt({ policy })).'
            : undefined
  if (fix === undefined) return
  fail('HALT_E_OPTION', `${owner} got ${describe(options)}, which is not an options object.`, fix)
}
