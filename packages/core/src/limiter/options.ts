import { type Duration, parseDuration } from '../base/duration.ts'
import { describe } from '../base/errors.ts'
import { checkChoice, checkNames, checkType, checkWhole, namesOf, fail } from '../base/options-check.ts'
import type { Warn } from '../base/warnings.ts'
import type { Telemetry } from '../check/telemetry.ts'
import type { LimiterPenalty } from '../policy/penalty-config.ts'
import type { OnStoreError, Policy, PolicyResolver } from '../policy/policy.ts'
import { checkPrefix } from '../request/address.ts'
import type { ClientIpHeader } from '../request/headers.ts'
import type { TrustedProxies } from '../request/trusted-proxies.ts'
import type { Store } from '../store/contract.ts'
import type { GateSource } from './gate.ts'

/** The options of a limiter that read nothing of a request. */
// Adapters extend interfaces, not Omit<…>: TypeScript 7 shows no text for the fields of mapped types.
export interface LimiterSettings {
  /**
   * Proxies that may name the client in a header: CIDRs, addresses, `"loopback"`, `"linklocal"`, `"private"`,
   * `"cloudflare"`, or a function. Default: none.
   */
  readonly trustedProxies?: TrustedProxies | undefined
  /** The header in which a trusted proxy names the client. Default `"x-forwarded-for"`. */
  readonly clientIpHeader?: ClientIpHeader | undefined
  /** The number of bits of an IPv6 address that identify one subscriber, 32 to 128. Default 56. */
  readonly ipv6Prefix?: number | undefined
  /** Whether private socket peers (127/8, ::1, 10/8, 172.16/12, 192.168/16) are exempt. Default true. */
  readonly exemptPrivateIps?: boolean | undefined
  /**
   * Whether `GET` and `HEAD` of `/health`, `/ping`, `/ready`, `/healthz` and `/livez` are exempt, or a list of other paths. Default true.
   */
  readonly exemptHealthChecks?: boolean | readonly string[] | undefined
  /** For unverified API keys: all keys of one address share this many times the limit. Default 10. */
  readonly keysPerAddress?: number | undefined
  /** Turns the digests of keys into HMACs, so that a reader of the store cannot test guesses. At least 16 characters. */
  readonly secret?: string | undefined
  /** The longest time that a request waits for the store. Default `"100ms"`. */
  readonly storeTimeout?: Duration | undefined
  /** The longest time that a request waits for one of your callbacks. Default `"1s"`. */
  readonly callbackTimeout?: Duration | undefined
  /** How requests are decided while the store is unavailable. Default `"local"`. */
  readonly onStoreError?: OnStoreError | undefined
  /**
   * The number of processes that share the limits. `"local"` divides the limits by it. Default `"auto"`: the store's count,
   * else 1.
   */
  readonly instances?: number | 'auto' | undefined
  /** A `Control`: lets an operator block clients, let them pass, and change numbers while the process runs. Default: none. */
  readonly control?: ControlOption | undefined
  /** The most callers of this process that may wait for their turn at once. A further one is decided as by `check`. Default 10 000. */
  readonly mostWaiting?: number | undefined
  /** Scores refusals, and reduces the limits of clients with a high score. Default: no penalty. */
  readonly penalty?: LimiterPenalty | undefined
  /** Hooks that hear of decisions. Several: `new CompositeTelemetry(a, b)`. Default: none. */
  readonly telemetry?: Telemetry | undefined
  /** Receives each warning once. Default `process.emitWarning`. */
  readonly warn?: Warn | undefined
}

/** The options of a limiter that read requests. */
export interface RequestSettings<R> {
  /** One policy, several policies that decide together, or a function that returns them for a request. */
  readonly policy: Policy<R> | readonly Policy<R>[] | PolicyResolver<R>
  /** Policies that decide when the resolver fails. Default: such a request is refused with 503. */
  readonly fallbackPolicy?: Policy<R> | readonly Policy<R>[] | undefined
  /** Returns the client's address, on a platform that knows it. Wins over `trustedProxies` and `clientIpHeader`. */
  readonly clientIp?: ((request: R) => string | null | undefined) | undefined
  /** The authenticated user's id. Default `request.user.id`, `request.user.sub`, `request.userId`. */
  readonly userId?: ((request: R) => string | number | null | undefined) | undefined
  /** The verified API key. Default: the X-API-Key or Authorization header, unverified. */
  readonly apiKey?: ((request: R) => string | null | undefined) | undefined
}

/** A `Control` of `@halt/core`, as the kernel of a limiter sees it. */
type ControlOption = Pick<GateSource, 'notePolicies'>

/** Options of a {@link RateLimiter}. `R` is the framework's request type, which callbacks receive. */
export interface RateLimiterOptions<R = unknown> extends LimiterSettings, RequestSettings<R> {
  /** The store of the counters: `new InMemoryStore()`, `new RedisStore({ client })`. */
  readonly store: Store
}

/** The names of all options, for adapters that accept them next to their own. */
export const LIMITER_OPTIONS: readonly string[] = namesOf<RateLimiterOptions>({
  store: true,
  policy: true,
  fallbackPolicy: true,
  trustedProxies: true,
  clientIpHeader: true,
  clientIp: true,
  ipv6Prefix: true,
  exemptPrivateIps: true,
  exemptHealthChecks: true,
  userId: true,
  apiKey: true,
  keysPerAddress: true,
  secret: true,
  storeTimeout: true,
  callbackTimeout: true,
  onStoreError: true,
  instances: true,
  control: true,
  mostWaiting: true,
  penalty: true,
  telemetry: true,
  warn: true,
})

/** The numeric options after validation. Times are in milliseconds. */
export interface LimiterNumbers {
  readonly storeTimeout: number
  readonly callbackTimeout: number
  readonly ipv6Prefix: number
  readonly keysPerAddress: number
  readonly instances: number | 'auto'
  readonly mostWaiting: number
}

/**
 * Checks the names, types and ranges of the options that no other part checks.
 *
 * @throws HaltError with a code for the option
 */
export function checkOptions(options: RateLimiterOptions<never>): LimiterNumbers {
  if (typeof options !== 'object' || options === null)
    fail('HALT_E_OPTION', `RateLimiter got ${describe(options)}.`, 'Give { store, policy }.')
  const fields = options as unknown as Record<string, unknown>
  checkNames(fields, LIMITER_OPTIONS, 'RateLimiter')
  checkStore(options.store)
  if (options.policy === undefined)
    fail('HALT_E_POLICY', 'RateLimiter has no policy.', 'Give policy: presets.PUBLIC_API, or your own.')
  for (const name of ['clientIp', 'userId', 'apiKey', 'warn'])
    checkType(fields, name, 'function', 'HALT_E_OPTION')
  checkType(fields, 'control', 'object', 'HALT_E_OPTION')
  checkType(fields, 'exemptPrivateIps', 'boolean', 'HALT_E_OPTION')
  checkType(fields, 'telemetry', 'object', 'HALT_E_OPTION')
  if (Array.isArray(options.telemetry))
    fail('HALT_E_OPTION', 'telemetry is an array.', 'Give one: new CompositeTelemetry(a, b).')
  checkChoice(fields, 'onStoreError', ['local', 'open', 'closed'], 'HALT_E_ON_STORE_ERROR')
  const {
    storeTimeout = '100ms',
    callbackTimeout = '1s',
    ipv6Prefix,
    keysPerAddress = 10,
    instances = 'auto',
    mostWaiting = 10_000,
  } = options
  return {
    storeTimeout: parseDuration(storeTimeout, 'storeTimeout') / 1000,
    callbackTimeout: parseDuration(callbackTimeout, 'callbackTimeout') / 1000,
    ipv6Prefix: checkPrefix(ipv6Prefix),
    keysPerAddress: checkWhole('keysPerAddress', keysPerAddress, 1, 1e6),
    instances: instances === 'auto' ? instances : checkWhole('instances', instances, 1, 1e6),
    mostWaiting: checkWhole('mostWaiting', mostWaiting, 0, 1e6),
  }
}

function checkStore(store: unknown): void {
  const shape = store as { evaluate?: unknown; forget?: unknown } | null | undefined
  if (typeof shape?.evaluate === 'function' && typeof shape.forget === 'function') return
  fail(
    'HALT_E_STORE_OPTION',
    `store is ${describe(store)}, not a store.`,
    'Give new InMemoryStore() or new RedisStore({ client }).',
  )
}

/** Options of the end of a limiter. */
export interface CloseOptions {
  /**
   * How long callers that wait still have their turns, from 1 ms to 24 hours. Default: their places are given back at once.
   */
  readonly finishLine?: Duration | undefined
}

/** 24 hours, in microseconds: no caller waits longer. */
const LONGEST_FINISH = 86_400e6

/**
 * Reads how long the line is finished, in microseconds; 0 if it is not.
 *
 * @throws HaltError `HALT_E_DURATION`, `HALT_E_UNKNOWN_FIELD`
 */
export function readFinish(options: CloseOptions): number {
  checkNames(options as Readonly<Record<string, unknown>>, ['finishLine'], 'close()')
  const { finishLine } = options
  if (finishLine === undefined) return 0
  const micros = parseDuration(finishLine, 'finishLine')
  return micros <= LONGEST_FINISH
    ? micros
    : fail('HALT_E_DURATION', 'finishLine is above 24 hours.', 'Give less, because no caller waits longer.')
}
