import type { Policy, Awaitable, Cost, Decision, Limiter, RateLimiterOptions } from '@halt/core'
import type { AnswerOptions, GuardOptions, LimiterSettings, RequestView } from '@halt/core/http'

import type { ClientIp } from './platforms.ts'

/** The second argument of `onLimited`. */
export interface LimitedContext<R extends Request = Request, C = unknown> {
  readonly request: R
  /** The second argument of the handler, or the event that holds the request. */
  readonly context: C
  /** The status of the refusal: `statusCode`, or 503. */
  readonly status: number
}

type NoOthers<R> = {
  readonly [K in Exclude<keyof RateLimiterOptions<R>, 'policy' | 'clientIp'>]?: never
}

/** A limiter, with policies that replace its own if they are given. */
interface GivenLimiter<R> extends NoOthers<R> {
  /** The limiter, instead of its options. */
  readonly limiter: Limiter<R>
  /** Policies that decide instead of the limiter's own. */
  readonly policy?: GuardOptions<R>['policy']
}

/** The options of a limiter. Its functions also get the context of the handler. */
interface OwnLimiter<R, C> extends LimiterSettings {
  /** Policies that decide when the resolver fails. Default: such a request is refused with 503. */
  readonly fallbackPolicy?: RateLimiterOptions<R>['fallbackPolicy']
  readonly limiter?: undefined
  /** The store of the counters. Default: this process's memory. */
  readonly store?: RateLimiterOptions['store'] | undefined
  /** One policy, several policies that decide together, or a function that returns them for a request. */
  readonly policy:
    | Policy<R>
    | readonly Policy<R>[]
    | ((request: R, context: C) => Awaitable<Policy<R> | readonly Policy<R>[]>)
  /** The authenticated user's id. Default `request.user.id`, `request.user.sub`, `request.userId`. */
  readonly userId?: ((request: R, context: C) => string | number | null | undefined) | undefined
  /** The verified API key. Default: the X-API-Key or Authorization header, unverified. */
  readonly apiKey?: ((request: R, context: C) => string | null | undefined) | undefined
}

/**
 * Options of {@link halt}: a limiter or the options of one, and the options that all adapters share. `C` is the second argument of
 * the handlers, or the event that they get instead of a request.
 */
export type HaltOptions<R extends Request = Request, C = unknown> = (GivenLimiter<R> | OwnLimiter<R, C>) &
  FetchOptions<R, C>

/** The options that do not belong to the limiter. */
// No interface: with one, editors do not show these texts.
type FetchOptions<R extends Request, C> = AnswerOptions & {
  /**
   * The source of the client's address: the platform that tells it, or a function. A platform's header is believed, so name a
   * platform only where it sets that header, and where no client reaches the process around it. Without this option all
   * requests share one counter.
   */
  readonly clientIp?: ClientIp<R, C> | undefined
  /** The cost of a request in units: a number, numbers by policy name, or a function that returns either. */
  readonly cost?: Cost | ((request: R, context: C) => Awaitable<Cost>) | undefined
  /** Whether a request is not counted at all. A request for which it fails is counted. */
  readonly skip?: ((request: R, context: C) => Awaitable<boolean>) | undefined
  /** Returns the key under which a repeated request is charged once, such as its `Idempotency-Key`, or nothing for none. */
  readonly idempotencyKey?: ((request: R, context: C) => string | null | undefined) | undefined
  /**
   * Gets the response of the app. If it returns false, the charge is refunded. A request that is aborted before its answer
   * stays charged, and so does a request for which this function fails.
   */
  readonly chargeWhen?:
    | ((response: Response, request: R, context: C) => boolean | Promise<boolean>)
    | undefined
  /** Makes the answer to a refused request instead of the default one. Halt adds its headers. */
  readonly onLimited?:
    | ((decision: Decision, context: LimitedContext<R, C>) => Response | Promise<Response>)
    | undefined
  /** The route of the handler, for policies with `scope: "route"`: its pattern, or a function that gives it. */
  readonly route?: RequestView['route'] | ((request: R, context: C) => RequestView['route']) | undefined
}
