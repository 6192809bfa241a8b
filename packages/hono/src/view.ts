import {
  atOnce,
  contextUser,
  continues,
  type HeaderBag,
  NO_ROUTE,
  pathOf,
  type RequestView,
  routeOfContext,
} from '@halt/core/http'
import type { Context, Env } from 'hono'

/** The part of Hono's `ConnInfo` that Halt reads. */
export interface ConnInfo {
  readonly remote: { readonly address?: string | undefined }
}

/** The binding of `@hono/node-server` that is read here: the request of Node. */
interface NodeBindings {
  readonly incoming?: object
}

/** Gives the peer of a request's socket. Every runtime has its own function. */
export type GetConnInfo<E extends Env = Env> = (c: Context<E>) => ConnInfo

/**
 * Makes the view of a Hono request that a limiter reads, for handlers that decide by themselves.
 *
 * @example
 * const decision = await limiter.check(viewOf(c, getConnInfo), { cost: 10 })
 * if (!decision.allowed) return sendLimited(c, decision)
 */
export function viewOf<E extends Env>(c: Context<E>, getConnInfo?: GetConnInfo<E>): RequestView {
  return new ContextView(c, getConnInfo)
}

/** The parts of a Hono request that Halt reads. Those that cost time are read only if a policy asks for them. */
export class ContextView<E extends Env> implements RequestView {
  readonly request: Context<E>
  readonly #getConnInfo: GetConnInfo<E> | undefined
  readonly #onError: ((error: unknown) => void) | undefined

  /** @param onError called if getConnInfo throws or returns a promise; the request then has no address */
  constructor(c: Context<E>, getConnInfo?: GetConnInfo<E>, onError?: (error: unknown) => void) {
    this.request = c
    this.#getConnInfo = getConnInfo
    this.#onError = onError
  }

  get method(): string {
    return this.request.req.raw.method
  }

  /** Not c.req.path, which is decoded, and which the getPath of the app may have changed. */
  get path(): string {
    return pathOf(this.request.req.raw.url)
  }

  get headers(): HeaderBag {
    return this.request.req.raw.headers
  }

  /** Known only on Node. */
  get httpVersion(): string | undefined {
    const { incoming } = (this.request.env ?? {}) as { incoming?: { httpVersion?: string } }
    return incoming?.httpVersion
  }

  get hasBody(): boolean {
    return continues((this.request.env as NodeBindings | undefined)?.incoming)
  }

  get ip(): string | undefined {
    try {
      return this.#getConnInfo && atOnce(this.#getConnInfo(this.request)).remote.address
    } catch (error) {
      this.#onError?.(error)
      return undefined
    }
  }

  get route(): RequestView['route'] {
    return routeOf(this.request)
  }

  get user(): unknown {
    return contextUser(this.request as unknown as Context)
  }
}

/** The route of the handler that will answer, its mount paths included. */
function routeOf<E extends Env>(c: Context<E>): RequestView['route'] {
  let found: RequestView['route'] = NO_ROUTE
  for (const match of c.req.matchedRoutes.slice(c.req.routeIndex + 1)) {
    const { handler, method, path } = match
    // A handler that takes no `next` answers. In a sub-app with its own onError, Hono wraps the handler.
    const { __COMPOSED_HANDLER: own = handler } = handler as { readonly __COMPOSED_HANDLER?: typeof handler }
    if (own.length < 2) return routeOfContext(match)
    // Middleware for all methods below a wildcard may guard any route. Other middleware belongs to the route that it names.
    if (method !== 'ALL' || !path.endsWith('*')) found = routeOfContext(match)
  }
  return found
}
