import type { HeaderBag } from './headers.ts'
import { ALL_METHODS } from './matched-route.ts'
import { pathOf, type RequestView } from './view.ts'

/** The parts of Hono's context that Halt reads, in every version of Hono. */
export interface ContextLike {
  readonly req: {
    readonly raw: { readonly method: string; readonly url: string; readonly headers: HeaderBag }
    readonly matchedRoutes?: readonly { readonly path: string; readonly method?: string }[]
    readonly routeIndex?: number
  }
  /** On Node it holds the server's own objects. */
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

/** Whether a value is a Hono context. */
export function isContext(value: object): value is ContextLike {
  const { req, get } = value as { req?: { raw?: { headers?: unknown; url?: unknown } }; get?: unknown }
  const raw = typeof get === 'function' && typeof req === 'object' && req !== null ? req.raw : undefined
  return typeof raw?.headers === 'object' && typeof raw.url === 'string'
}

/** Views a Hono context. The peer's address is known only on a Node server. The route is the route of the running handler. */
export function contextView(c: ContextLike): RequestView {
  const { raw, matchedRoutes, routeIndex } = c.req
  const { httpVersion, socket } = c.env?.incoming ?? {}
  const address = socket?.remoteAddress
  return {
    method: raw.method,
    // Not c.req.path, because it is decoded, and the app's getPath may change it.
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

/** The user of a context: `c.get('user')`, else the subject of the JWT. */
export function contextUser(c: Pick<ContextLike, 'get'>): unknown {
  const user = c.get('user') as { id?: unknown; sub?: unknown } | undefined
  const token = c.get('jwtPayload') as { sub?: unknown } | undefined
  // Only the subject of a token is used. Its `id` may be the token's own, and a new token must not get a new counter.
  return user?.id === undefined && user?.sub === undefined ? { sub: token?.sub } : user
}
