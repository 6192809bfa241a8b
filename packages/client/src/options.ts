import { type Policy, type Cost, type Duration, HaltError, type Identity, type RateLimiter } from '@halt/core'
import { checkNames, describe, namesOf, readMaxWait } from '@halt/core/http'

import type { OutgoingCall } from './outgoing-call.ts'

/** The parts of a `RateLimiter` that outgoing calls use. */
type TurnLimiter = Pick<RateLimiter<never>, 'acquire' | 'pause' | 'release' | 'warn'>

/** One policy or several. */
export type CallPolicy = Policy<never> | readonly Policy<never>[]

/** Which refused calls are sent again. */
export interface RetryOptions {
  /** The statuses of an answer after which a call is sent again. Default: 429 and 503. */
  readonly on?: readonly number[] | undefined
  /** How many times a call is sent again at most. Default: 3. */
  readonly most?: number | undefined
  /** The methods of calls that are sent again. Default: the idempotent ones (GET, HEAD, OPTIONS, TRACE, PUT, DELETE). */
  readonly methods?: readonly string[] | undefined
}

/** Options of outgoing calls. */
export interface CallOptions {
  /** The limiter whose turn a call waits for. */
  readonly limiter: TurnLimiter
  /** Whose counter a call uses: an identity, or a function of the call. Default: the host of its address. */
  readonly key?: Identity | ((call: OutgoingCall) => Identity) | undefined
  /** Units of a call, or a function of the call. Default: each policy's own cost. */
  readonly cost?: Cost | ((call: OutgoingCall) => Cost) | undefined
  /**
   * Policies of a call that decide instead of the limiter's own, or a function of the call that returns them. With the name of one of
   * the limiter's policies they count on its counter: a `headroom` then gives calls a lower priority. Default: the limiter's own.
   */
  readonly policy?: CallPolicy | ((call: OutgoingCall) => CallPolicy | undefined) | undefined
  /** The longest wait for a turn, and the longest wait between two attempts. Default: 30 seconds. */
  readonly maxWait?: Duration | undefined
  /**
   * Whether answers pause the shared counter, so that all processes slow down. `true`: after a refusal for as long as the
   * server tells, and while the server has nothing left. `"refusals"`: only after a refusal. Default: `true`.
   */
  readonly learn?: boolean | 'refusals' | undefined
  /** Which refused calls are sent again. `false`: none. Default: calls of idempotent methods, after 429 and 503, three times at most. */
  readonly retry?: RetryOptions | false | undefined
}

/** Options of outgoing calls, checked and with their defaults. */
export interface CallSettings {
  readonly limiter: TurnLimiter
  readonly key: CallOptions['key']
  readonly cost: CallOptions['cost']
  readonly policy: CallOptions['policy']
  readonly maxWait: Duration
  readonly maxWaitMs: number
  readonly learn: boolean | 'refusals'
  readonly on: ReadonlySet<number>
  readonly most: number
  readonly methods: ReadonlySet<string>
}

const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']

const OPTIONS = namesOf<CallOptions>({
  limiter: true,
  key: true,
  cost: true,
  policy: true,
  maxWait: true,
  learn: true,
  retry: true,
})
const RETRY = namesOf<RetryOptions>({ on: true, most: true, methods: true })

/**
 * Checks the options of outgoing calls.
 *
 * @param more further names that the owner takes
 * @throws HaltError `HALT_E_LIMITER`, `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`, `HALT_E_MAX_WAIT`
 */
export function readOptions(options: CallOptions, owner: string, more: readonly string[] = []): CallSettings {
  checkNames(options as never, [...OPTIONS, ...more], owner)
  const { limiter, key, cost, policy, maxWait = '30s', learn = true, retry = {} } = options
  checkLimiter(limiter, owner)
  if (key !== undefined && typeof key !== 'string' && typeof key !== 'function' && !isObject(key))
    wrong('key', key, 'Give an identity such as { custom: "stripe" }, or a function of the call.')
  if (cost !== undefined && typeof cost !== 'number' && typeof cost !== 'function' && !isObject(cost))
    wrong('cost', cost, 'Give a number of units, numbers by policy name, or a function of the call.')
  if (policy !== undefined && typeof policy !== 'function' && (typeof policy !== 'object' || policy === null))
    wrong(
      'policy',
      policy,
      'Give a policy { name, limit, window }, a list of policies, or a function of the call.',
    )
  if (learn !== true && learn !== false && learn !== 'refusals')
    wrong('learn', learn, 'Choose one of true, false, "refusals".')
  return {
    limiter,
    key,
    cost,
    policy,
    maxWait,
    maxWaitMs: readMaxWait(maxWait) / 1000,
    learn,
    ...readRetry(retry, owner),
  }
}

function readRetry(retry: unknown, owner: string): Pick<CallSettings, 'on' | 'most' | 'methods'> {
  if (retry === false) return { on: new Set(), most: 0, methods: new Set() }
  checkNames(retry as never, RETRY, `retry of ${owner}`)
  const { on = [429, 503], most = 3, methods = IDEMPOTENT } = retry as RetryOptions
  if (!Array.isArray(on) || !on.every(status => Number.isInteger(status) && status >= 400 && status <= 599))
    wrong('retry.on', on, 'Give a list of statuses from 400 to 599, such as [429, 503].')
  if (!Number.isInteger(most) || most < 0 || most > 100)
    wrong('retry.most', most, 'Give a whole number from 0 to 100.')
  if (!Array.isArray(methods) || !methods.every(method => typeof method === 'string'))
    wrong('retry.methods', methods, 'Give a list of methods, such as ["GET", "POST"].')
  return { on: new Set(on), most, methods: new Set(methods.map(method => method.toUpperCase())) }
}

function checkLimiter(limiter: unknown, owner: string): void {
  if (isObject(limiter) && typeof limiter['acquire'] === 'function' && typeof limiter['pause'] === 'function')
    return
  throw new HaltError(
    'HALT_E_LIMITER',
    `${owner} got ${describe(limiter)} as its limiter.`,
    'Give a RateLimiter: limiter: new RateLimiter({ store, policy }).',
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong(name: string, value: unknown, fix: string): never {
  throw new HaltError('HALT_E_OPTION', `${name} is ${describe(value)}.`, fix)
}
