import type { Awaitable, ConcurrencyPolicy, Cost, Quota, RatePolicy } from '@halt/core'
import type { ExecutionContext } from '@nestjs/common'

/**
 * The request that callbacks get unless they declare another type: the platform's own for HTTP and GraphQL, the socket of a
 * WebSocket message, the context of a microservice call.
 */
export interface NestRequest {
  readonly method?: string
  readonly url?: string
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
  readonly body?: unknown
  readonly query?: unknown
  readonly params?: unknown
  readonly user?: unknown
  readonly [name: string]: unknown
}

/** A callback that gets the request and its `ExecutionContext`. */
export type ContextCallback<R, T> = (request: R, context: ExecutionContext) => T

type WithContext<P, R> = Omit<P, 'keyExtractor'> & {
  /** Gives the key. Wins over `keyStrategy`. */
  readonly keyExtractor?: ContextCallback<R, Awaitable<string | null | undefined>> | undefined
}

/** A policy or quota as in `@halt/core`, whose `keyExtractor` also gets the `ExecutionContext`. */
export type NestPolicy<R = NestRequest> =
  | WithContext<RatePolicy<R>, R>
  | WithContext<ConcurrencyPolicy<R>, R>
  | WithContext<Quota<R>, R>

/** One policy, or several that are decided together. */
export type NestPolicies<R = NestRequest> = NestPolicy<R> | readonly NestPolicy<R>[]

/** Gives the policies of a call. */
export type NestPolicyResolver<R = NestRequest> = ContextCallback<R, Awaitable<NestPolicies<R>>>

/** Units of a call, or a function that gives them. */
export type NestCost<R = NestRequest> = Cost | ContextCallback<R, Awaitable<Cost>>
