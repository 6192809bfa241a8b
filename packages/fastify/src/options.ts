import type { Decision, RateLimiter } from '@halt/core'
import type { AdapterOptions, GuardOptions, RateLimiterOptions } from '@halt/core/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The steps of a request at which it can be refused, first to last. */
export type HaltHookName = 'onRequest' | 'preParsing' | 'preValidation' | 'preHandler'

/** What a custom answer gets. */
export interface LimitedContext {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** How a refused request is answered. */
export interface RefusalOptions {
  /**
   * Answers a refused request instead of the default body: sends the reply itself, or returns what is to be sent. Status
   * and headers are set already.
   */
  readonly onLimited?: ((decision: Decision, context: LimitedContext) => unknown) | undefined
  /** Whether a refusal is thrown as a {@link LimitedError}, so that `setErrorHandler` answers it. Default false. */
  readonly throwOnLimited?: boolean | undefined
}

/** Options of the plugin: a limiter, or any of its options, beside those all adapters share. */
export type HaltOptions = AdapterOptions<FastifyRequest, FastifyReply> &
  RefusalOptions & {
    /** Whether every route of the instance is counted, 404s included, or only those with `config.halt`. Default true. */
    readonly global?: boolean | undefined
    /** When requests are counted. Default `"onRequest"`: refused before the body is read. */
    readonly hook?: HaltHookName | undefined
  }

/** Options of a route, as `config.halt`. What they leave out is as registered. */
export interface HaltRouteOptions extends GuardOptions<FastifyRequest, FastifyReply>, RefusalOptions {
  /** Counts the route in a check of its own, beside the global one. */
  readonly limiter?: RateLimiter<FastifyRequest> | undefined
  /** When this route is counted, by its own and the global policies. Default as registered. */
  readonly hook?: HaltHookName | undefined
  /** Whether the global policies do not apply. Default false: the route's are added to them. */
  readonly override?: boolean | undefined
}

/** Options of `app.halt()`. What they leave out is as registered. */
export type HaltHookOptions = Omit<GuardOptions<FastifyRequest, FastifyReply>, 'policy'> &
  RefusalOptions &
  Partial<RateLimiterOptions<FastifyRequest>> & { readonly limiter?: RateLimiter<FastifyRequest> | undefined }

/** Guard options, complete with manners. */
export type RequestGuardOptions = GuardOptions<FastifyRequest, FastifyReply> & RefusalOptions
