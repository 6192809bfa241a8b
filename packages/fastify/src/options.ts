import type { Decision, Limiter } from '@halt/core'
import type { AdapterOptions, GuardOptions, RateLimiterOptions } from '@halt/core/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** The lifecycle hooks in which a request can be refused, first to last. */
export type HaltHookName = 'onRequest' | 'preParsing' | 'preValidation' | 'preHandler'

/** The second argument of `onLimited`. */
export interface LimitedContext {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** Options that say how a refused request is answered. */
export interface RefusalOptions {
  /**
   * Answers a refused request instead of the default body: it sends the reply, or returns the payload to send. Status and
   * headers are set already.
   */
  readonly onLimited?: ((decision: Decision, context: LimitedContext) => unknown) | undefined
  /** True: a refusal is thrown as a {@link LimitedError}, so that `setErrorHandler` answers it. Default false. */
  readonly throwOnLimited?: boolean | undefined
}

/** The names of {@link RefusalOptions}. */
export const REFUSAL_OPTIONS: readonly string[] = Object.keys({
  onLimited: true,
  throwOnLimited: true,
} satisfies Record<keyof RefusalOptions, true>)

/** Options of the plugin: a limiter or the options of one, and the options that all adapters share. */
export type HaltOptions = AdapterOptions<FastifyRequest, FastifyReply> & PluginOptions

/** The plugin's own options. */
interface PluginOptions extends RefusalOptions {
  /** True: every request of the instance is counted, 404s included. False: only routes with `config.halt`. Default true. */
  readonly global?: boolean | undefined
  /** The hook that counts requests. Default `"onRequest"`, which refuses before the body is read. */
  readonly hook?: HaltHookName | undefined
}

/** Options of a route, as `config.halt`. Options left out come from the registration. */
export interface HaltRouteOptions extends GuardOptions<FastifyRequest, FastifyReply>, RefusalOptions {
  /** Counts the route in a separate check, after the global one. */
  readonly limiter?: Limiter<FastifyRequest> | undefined
  /** The hook that counts this route, by its own and the global policies. Default: the hook of the registration. */
  readonly hook?: HaltHookName | undefined
  /** True: the policies of the route replace the global ones. Default false: they are added. */
  readonly override?: boolean | undefined
}

/** Options of `app.halt()`. Options left out come from the registration. */
export type HaltHookOptions = Omit<GuardOptions<FastifyRequest, FastifyReply>, 'policy'> &
  RefusalOptions &
  Partial<RateLimiterOptions<FastifyRequest>> & { readonly limiter?: Limiter<FastifyRequest> | undefined }

/** The options of a `RequestGuard`. */
export type RequestGuardOptions = GuardOptions<FastifyRequest, FastifyReply> & RefusalOptions
