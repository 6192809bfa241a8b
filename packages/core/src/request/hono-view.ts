import type { HeaderBag } from './headers.ts'
import { ALL_METHODS } from './method.ts'
import { pathOf } from './path.ts'
import type { RequestView } from './view.ts'

interface Claims {
  readonly id?: unknown
  readonly sub?: unknown
}

/** What is read of Hono's context, whatever its version. */
export interface ContextLike {
  readonly req: {
    readonly raw: { readonly method: string; readonly url: string; readonly headers: HeaderBag }
    readonly matchedRoutes?: readonly { readonly path: string; readonly method?: string }[]
    readonly routeIndex?: number
  }
  /** On Node the server's own objects. */
  readonly env?:
    | {
        readonly incoming?: {
          readonly httpVersion?: unknown
          readonly socket?: { readonly remoteAddress?: unknown }
        }
      }
    | undefined
  get(name: string): unknown
}

/** Whether a request is a context of Hono's. */
export function isContext(value: object): value is ContextLike {
  const { req, get } = value as { req?: { raw?: { headers?: unknown; url?: unknown } }; get?: unknown }
  const raw = typeof get === 'function' && typeof req === 'object' && req !== null ? req.raw : undefined
  return typeof raw?.headers === 'object' && typeof raw.url === 'string'
}

/** Views a context in a handler of its own: the peer is known where the server is Node's, the route is the handler's. */
export function contextView(c: ContextLike): RequestView {
  const { raw, matchedRoutes, routeIndex } = c.req
  const { httpVersion, socket } = c.env?.incoming ?? {}
  const address = socket?.remoteAddress
  return {
    method: raw.method,
    // Not c.req.path: that is decoded, and whatever the app's getPath makes of it.
    path: pathOf(raw.url),
    route: routeOfContext(matchedRoutes?.[routeIndex ?? -1]),
    ip: typeof address === 'string' ? address : undefined,
    headers: raw.headers,
    httpVersion: typeof httpVersion === 'string' ? httpVersion : undefined,
    user: contextUser(c),
    request: c,
    context: undefined,
  }
}

/** The route of one of the handlers that a context matched. */
export function routeOfContext(
  handler: { readonly path: string; readonly method?: string } | undefined,
): RequestView['route'] {
  if (handler?.method !== ALL_METHODS) return handler?.path
  return { pattern: handler.path, method: ALL_METHODS }
}

/** The user of a context: `c.get('user')`, else of a token its subject. */
export function contextUser(c: Pick<ContextLike, 'get'>): unknown {
  const user = c.get('user') as Claims | undefined
  const token = c.get('jwtPayload') as Claims | undefined
  // Of a token only the subject: an `id` in it may be the token's own, and a new token must be no new counter.
  return user?.id === undefined && user?.sub === undefined ? { sub: token?.sub } : user
}
