import type { Awaitable, Decision, RateLimiter } from '@halt/core'
import { HaltError } from '@halt/core'
import {
  type AnswerOptions,
  checkGuardOptions,
  type GuardOptions,
  LIMITER_OPTIONS,
  type LimiterSettings,
  type RateLimiterOptions,
} from '@halt/core/http'
import type {
  DynamicModule,
  ExecutionContext,
  InjectionToken,
  OptionalFactoryDependency,
  Type,
} from '@nestjs/common'

import type { ContextCallback, NestCost, NestPolicies, NestPolicyResolver, NestRequest } from './policy.ts'

/** Options of the limiter that the module makes: the options of `RateLimiter`. Callbacks also get the `ExecutionContext`. */
export interface NestLimiterOptions<R = NestRequest> extends LimiterSettings {
  /** The store of the counters. Default: the memory of this process. */
  readonly store?: RateLimiterOptions['store'] | undefined
  /** Counts every call that `HaltGuard` sees. Optional if `policies` are given. */
  readonly policy?: NestPolicies<R> | NestPolicyResolver<R> | undefined
  /** Decides if the resolver fails. Default: such a call is refused with 503. */
  readonly fallbackPolicy?: NestPolicies<R> | undefined
  /** Gives the address of the client; wins over the socket and all headers. */
  readonly clientIp?: ContextCallback<R, string | null | undefined> | undefined
  /** Gives the id of the authenticated user. Default `request.user.id`, `request.user.sub`, `request.userId`. */
  readonly userId?: ContextCallback<R, string | number | null | undefined> | undefined
  /** Gives the verified API key. Default: the X-API-Key or Authorization header, unverified. */
  readonly apiKey?: ContextCallback<R, string | null | undefined> | undefined
}

/** The first argument of `chargeWhen`: the response of the platform, or the result of a handler that has no response. */
export interface HandlerResult {
  /** The status of the response. Without a response: 200, or the status of the exception, or 500 if it has none. */
  readonly statusCode: number
  /** The last value of a WebSocket, GraphQL or microservice handler. */
  readonly value?: unknown
  /** The error that it threw. */
  readonly error?: unknown
}

/** The arguments of `chargeWhen`. */
export interface HandledCall {
  readonly result: HandlerResult
  readonly context: ExecutionContext
}

/** Options of the module that a limiter does not have. */
export interface GuardSettings<R = NestRequest> extends AnswerOptions {
  /** Named policies for `@RateLimit('name')` and `@InjectRateLimiter('name')`. */
  readonly policies?: Readonly<Record<string, NestPolicies<R>>> | undefined
  /** Units of a call: a number for every policy, numbers by policy name, or a function that gives either. */
  readonly cost?: NestCost<R> | undefined
  /** True: the call is not counted. A function that fails does not skip. */
  readonly skip?: ContextCallback<R, Awaitable<boolean>> | undefined
  /**
   * Gets the result of an admitted call. If it returns false, the charge is refunded. A call that is aborted before its result
   * stays charged, and so does a call for which this function fails.
   */
  readonly chargeWhen?: ((result: HandlerResult, context: ExecutionContext) => Awaitable<boolean>) | undefined
  /** Gives the key of a call, such as its `Idempotency-Key`. A call that repeats a key is charged once. Nothing: no key. */
  readonly idempotencyKey?: ContextCallback<R, string | null | undefined> | undefined
  /** Throws another exception, or answers by itself. Headers are set already. If it does neither, the default answer is sent. */
  readonly onLimited?: ((decision: Decision, context: ExecutionContext) => unknown) | undefined
  /** Gives the request of a transport that Halt does not know, or a `RequestView`; undefined for transports that it knows. */
  readonly getRequest?: ((context: ExecutionContext) => unknown) | undefined
}

// Editors know by `never` which of the two forms somebody writes, and show its texts.
type NoOthers = { readonly [K in keyof NestLimiterOptions as K extends 'policy' ? never : K]?: never }

/** A limiter of your own. */
interface GivenLimiter<R> {
  /** The limiter, instead of its options. */
  readonly limiter: RateLimiter<R>
  /** Counts every call that `HaltGuard` sees, instead of the limiter's own policies. */
  readonly policy?: NestPolicies<R> | undefined
}

/** Options of `HaltModule`: a limiter, with a `policy` or without, or the options of a limiter. */
export type HaltModuleOptions<R = NestRequest> = GuardSettings<R> &
  ((GivenLimiter<R> & NoOthers) | ({ readonly limiter?: undefined } & NestLimiterOptions<R>))

/** A provider that makes the options from injected providers. */
export interface HaltOptionsFactory<R = NestRequest> {
  createHaltOptions(): HaltModuleOptions<R> | Promise<HaltModuleOptions<R>>
}

/** Options that depend on injected providers: one of `useFactory`, `useClass` and `useExisting`. */
export interface HaltModuleAsyncOptions<R = NestRequest> {
  readonly imports?: DynamicModule['imports'] | undefined
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[] | undefined
  readonly useFactory?:
    | ((...injected: never[]) => HaltModuleOptions<R> | Promise<HaltModuleOptions<R>>)
    | undefined
  readonly useClass?: Type<HaltOptionsFactory<R>> | undefined
  readonly useExisting?: InjectionToken<HaltOptionsFactory<R>> | undefined
  /** Names of `policies` that `app.get(getRateLimiterToken(name))` finds. Names that a class has injected are found anyway. */
  readonly names?: readonly string[] | undefined
}

/** The options as the rest of the package uses them, for any request type. */
export type AnyOptions = GuardSettings<unknown> &
  NestLimiterOptions<unknown> & { readonly limiter?: RateLimiter | undefined }

const OWN = ['limiter', 'policies', 'onLimited', 'getRequest']

/** Checks the names of all options, and the values of the options that are not the limiter's. @throws HaltError */
export function checkModuleOptions(options: AnyOptions): void {
  checkGuardOptions(options as GuardOptions, [...LIMITER_OPTIONS, ...OWN], 'HaltModule')
  const { getRequest } = options
  if (getRequest === undefined || typeof getRequest === 'function') return
  throw new HaltError(
    'HALT_E_OPTION',
    'getRequest is not a function.',
    'Give a function of the ExecutionContext, or leave it out.',
  )
}
