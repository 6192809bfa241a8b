import type { Awaitable, Decision, RateLimiter } from '@halt/core'
import { HaltError } from '@halt/core'
import {
  checkGuardOptions,
  type GuardOptions,
  LIMITER_OPTIONS,
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

type Contextual = 'store' | 'policy' | 'fallbackPolicy' | 'clientIp' | 'userId' | 'apiKey'

/** Options of the limiter that the module makes: those of `RateLimiter`, with callbacks that also get the context. */
export interface NestLimiterOptions<R = NestRequest> extends Omit<RateLimiterOptions<R>, Contextual> {
  /** The counters. Default: this process's memory. */
  readonly store?: RateLimiterOptions['store'] | undefined
  /** What counts every call that `HaltGuard` sees. May be left out when `policies` are given: then only these count. */
  readonly policy?: NestPolicies<R> | NestPolicyResolver<R> | undefined
  /** Decides when the resolver fails. Default: such a call is refused with 503. */
  readonly fallbackPolicy?: NestPolicies<R> | undefined
  /** The client's address, from a platform that knows better. */
  readonly clientIp?: ContextCallback<R, string | undefined> | undefined
  /** The authenticated user's id. Default `request.user.id`, `request.user.sub`, `request.userId`. */
  readonly userId?: ContextCallback<R, string | number | undefined> | undefined
  /** The verified API key. Default: the X-API-Key or Authorization header, unverified. */
  readonly apiKey?: ContextCallback<R, string | undefined> | undefined
}

/** What `chargeWhen` looks at: the platform's response, or what came of a handler that has none. */
export interface HandlerResult {
  /** Of the response; without one 200, or the status of the exception, 500 when it has none. */
  readonly statusCode: number
  /** The last value a WebSocket, GraphQL or microservice handler gave. */
  readonly value?: unknown
  /** What it threw. */
  readonly error?: unknown
}

/** What came of a call, for `chargeWhen`. */
export interface CallResult {
  readonly result: HandlerResult
  readonly context: ExecutionContext
}

/** How the module guards. */
export interface GuardSettings<R = NestRequest> extends Pick<
  GuardOptions,
  'costOnError' | 'headers' | 'errorFormat' | 'statusCode' | 'skipPreflight'
> {
  /** Named policies for `@RateLimit('name')` and `@InjectRateLimiter('name')`. */
  readonly policies?: Readonly<Record<string, NestPolicies<R>>> | undefined
  /** Units of a call: a number for every policy, or by policy name; or a function that gives either. */
  readonly cost?: NestCost<R> | undefined
  /** Whether a call is not counted at all. A function that fails does not skip. */
  readonly skip?: ContextCallback<R, Awaitable<boolean>> | undefined
  /**
   * Looks at what came of an admitted call once that is decided; when false, the charge is given back. Not asked for a call
   * that is aborted before: it stays charged, and so does one for which this function fails.
   */
  readonly chargeWhen?: ((result: HandlerResult, context: ExecutionContext) => Awaitable<boolean>) | undefined
  /** The key under which a repeated call is charged once, such as its `Idempotency-Key`. Undefined: the call has none. */
  readonly idempotencyKey?: ContextCallback<R, string | undefined> | undefined
  /** Throws another exception, or answers by itself. Headers are set already; what does neither gets the default answer. */
  readonly onLimited?: ((decision: Decision, context: ExecutionContext) => unknown) | undefined
  /** The request of a transport that Halt does not know; undefined for those it does. Any request, or a `RequestView`. */
  readonly getRequest?: ((context: ExecutionContext) => unknown) | undefined
}

type NoOthers = { readonly [K in keyof NestLimiterOptions as K extends 'policy' ? never : K]?: never }

/** Options of `HaltModule`: a limiter, beside which only a `policy` may stand, or the options of one. */
export type HaltModuleOptions<R = NestRequest> = GuardSettings<R> &
  (
    | ({ readonly limiter: RateLimiter<R>; readonly policy?: NestPolicies<R> | undefined } & NoOthers)
    | ({ readonly limiter?: undefined } & NestLimiterOptions<R>)
  )

/** Makes the options where they need what is injected. */
export interface HaltOptionsFactory<R = NestRequest> {
  createHaltOptions(): HaltModuleOptions<R> | Promise<HaltModuleOptions<R>>
}

/** Options that need what is injected: one of `useFactory`, `useClass` and `useExisting`. */
export interface HaltModuleAsyncOptions<R = NestRequest> {
  readonly imports?: DynamicModule['imports'] | undefined
  readonly inject?: (InjectionToken | OptionalFactoryDependency)[] | undefined
  readonly useFactory?:
    | ((...injected: never[]) => HaltModuleOptions<R> | Promise<HaltModuleOptions<R>>)
    | undefined
  readonly useClass?: Type<HaltOptionsFactory<R>> | undefined
  readonly useExisting?: InjectionToken<HaltOptionsFactory<R>> | undefined
  /** Which of the `policies` `app.get(getRateLimiterToken(name))` is to find, beside those that a class has injected. */
  readonly names?: readonly string[] | undefined
}

/** The options as the rest of the package uses them: whatever the request is. */
export type AnyOptions = GuardSettings<unknown> &
  NestLimiterOptions<unknown> & { readonly limiter?: RateLimiter | undefined }

const OWN = ['limiter', 'policies', 'onLimited', 'getRequest']

/** Checks the names of all options, and those that are not the limiter's. @throws HaltError */
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
