import {
  contextUser,
  continues,
  type HeaderBag,
  NO_ROUTE,
  pathOf,
  type RequestView,
  routeOfContext,
} from '@halt/core/http'
import type { Context, Env } from 'hono'

/** What Halt reads of Hono's `ConnInfo`. */
export interface ConnInfo {
  readonly remote: { readonly address?: string | undefined }
}

/** What `@hono/node-server` binds: Node's own request. */
interface NodeBindings {
  readonly incoming?: object
}

/** Tells a request's peer. Every runtime has its own. */
export type GetConnInfo<E extends Env = Env> = (c: Context<E>) => ConnInfo

/**
 * What a limiter looks at of a Hono request, for handlers that decide by themselves.
 *
 * @example
 * const decision = await limiter.check(viewOf(c, getConnInfo), { cost: 10 })
 * if (!decision.allowed) return sendLimited(c, decision)
 */
export function viewOf<E extends Env>(c: Context<E>, getConnInfo?: GetConnInfo<E>): RequestView {
  return new ContextView(c, getConnInfo)
}

/** A view that finds what costs something only when a policy asks for it. */
export class ContextView<E extends Env> implements RequestView {
  readonly method: string
  readonly path: string
  readonly request: Context<E>
  readonly #getConnInfo: GetConnInfo<E> | undefined
  readonly #onError: ((error: unknown) => void) | undefined

  /** @param onError told when getConnInfo throws; the request then has no address */
  constructor(c: Context<E>, getConnInfo?: GetConnInfo<E>, onError?: (error: unknown) => void) {
    const { raw } = c.req
    this.method = raw.method
    // Not c.req.path: that is decoded, and whatever the app's getPath makes of it.
    this.path = pathOf(raw.url)
    this.request = c
    this.#getConnInfo = getConnInfo
    this.#onError = onError
  }

  get headers(): HeaderBag {
    return this.request.req.raw.headers
  }

  /** Known on Node alone. */
  get httpVersion(): string | undefined {
    const { incoming } = (this.request.env ?? {}) as { incoming?: { httpVersion?: string } }
    return incoming?.httpVersion
  }

  get hasBody(): boolean {
    return continues((this.request.env as NodeBindings | undefined)?.incoming)
  }

  get ip(): string | undefined {
    try {
      return this.#getConnInfo?.(this.request).remote.address
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

/** The route of the handler that will answer, mounts included. */
function routeOf<E extends Env>(c: Context<E>): RequestView['route'] {
  let bound: RequestView['route'] = NO_ROUTE
  for (const match of c.req.matchedRoutes.slice(c.req.routeIndex + 1)) {
    const { handler, method, path } = match
    // What takes no `next` answers. In a sub-app that has an onError of its own, Hono wraps it.
    const { __COMPOSED_HANDLER: own = handler } = handler as { readonly __COMPOSED_HANDLER?: typeof handler }
    if (own.length < 2) return routeOfContext(match)
    // What is mounted for all methods below a wildcard may guard any route; the rest was written for the one it names.
    if (method !== 'ALL' || !path.endsWith('*')) bound = routeOfContext(match)
  }
  return bound
}
