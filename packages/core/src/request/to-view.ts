import { type RequestView, continues, pathOf } from './view.ts'
import { type HeaderBag, NO_HEADERS, anyCase } from './headers.ts'
import { ALL_METHODS, type MatchedRoute, matchedRoute } from './route.ts'

interface NodeLike {
  readonly method?: unknown
  readonly url?: unknown
  readonly originalUrl?: unknown
  readonly path?: unknown
  readonly ip?: unknown
  readonly headers?: unknown
  readonly rawHeaders?: unknown
  readonly httpVersion?: unknown
  readonly route?: unknown
  readonly socket?: { readonly remoteAddress?: unknown } | null
  readonly raw?: NodeLike
  readonly request?: unknown
  readonly user?: unknown
  readonly context?: unknown
  readonly hasBody?: unknown
  readonly clientIp?: unknown
  readonly departed?: unknown
}

/**
 * Makes a view of a request. The request may be a Node `IncomingMessage` (Express, Fastify, Nest, plain http), a Fetch
 * `Request`, a Hono context, or a view. Never throws: missing fields and fields of a wrong type get a default.
 */
export function toView(request: unknown): RequestView {
  const view = lazyView(request)
  const { method, path, route, ip, clientIp, departed, headers, httpVersion, hasBody, user, context } = view
  const { request: framework } = view
  return {
    method,
    path,
    route,
    ip,
    clientIp,
    departed,
    headers,
    httpVersion,
    hasBody,
    user,
    request: framework,
    context,
  }
}

/** As {@link toView}, with fields that are read when they are needed, and that a spread does not copy. */
export function lazyView(request: unknown): RequestView {
  const from = (typeof request === 'object' && request !== null ? request : {}) as NodeLike
  return isContext(from) ? contextView(from) : new GivenView(from, request)
}

/** A view whose fields are read when they are needed. Most checks need the address, and one look at the target. */
class GivenView implements RequestView {
  // Plain fields, because private ones make every construction slower.
  private readonly from: NodeLike
  private readonly given: unknown
  private readonly isView: boolean
  // Read at once, because a socket forgets its address when the client leaves.
  readonly ip: string | undefined

  constructor(from: NodeLike, given: unknown) {
    const socket = from.socket ?? from.raw?.socket
    this.from = from
    this.given = given
    this.isView = from.request !== undefined && socket === undefined
    // Frameworks compute `ip` from forwarding headers by their own rules, so the socket's address is preferred.
    this.ip = socket === undefined || socket === null ? text(from.ip) : text(socket.remoteAddress)
  }

  get method(): string {
    return text(this.from.method) ?? 'GET'
  }

  get target(): string {
    const from = this.from
    return text(from.originalUrl) ?? text(from.url) ?? text(from.path) ?? '/'
  }

  get path(): string {
    return pathOf(this.target)
  }

  get route(): RequestView['route'] {
    const from = this.from
    return text(from.route) ?? (this.isView ? givenRoute(from.route) : matchedRoute(from as object))
  }

  get headers(): HeaderBag {
    return headersOf(this.from)
  }

  get clientIp(): string | undefined {
    return this.isView ? text(this.from.clientIp) : undefined
  }

  get departed(): boolean | undefined {
    return this.isView && typeof this.from.departed === 'boolean' ? this.from.departed : undefined
  }

  get httpVersion(): string | undefined {
    return text(this.from.httpVersion) ?? text(this.from.raw?.httpVersion)
  }

  get hasBody(): boolean | undefined {
    if (this.method !== 'OPTIONS') return undefined
    const { from } = this
    return this.isView ? from.hasBody === true : continues(from.raw ?? from)
  }

  get user(): unknown {
    return this.isView ? this.from.user : undefined
  }

  get request(): unknown {
    return this.isView ? this.from.request : this.given
  }

  get context(): unknown {
    return this.isView ? this.from.context : undefined
  }
}

// Node writes header names in lower case. A hand-made request may use any case.
function headersOf({ headers, rawHeaders, raw }: NodeLike): HeaderBag {
  if (typeof headers !== 'object' || headers === null) return NO_HEADERS
  const isNodes = rawHeaders !== undefined || raw !== undefined
  return isNodes || typeof (headers as { get?: unknown }).get === 'function'
    ? (headers as HeaderBag)
    : anyCase(headers as Record<string, string>)
}

// A view may hold the result of `matchedRoute`.
function givenRoute(route: unknown): MatchedRoute | undefined {
  const { pattern, method } = (route ?? {}) as Partial<Record<keyof MatchedRoute, unknown>>
  return typeof pattern === 'string' && typeof method === 'string' ? { pattern, method } : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** The parts of Hono's context that Halt reads, in every version of Hono. */
interface ContextLike {
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
function isContext(value: object): value is ContextLike {
  const { req, get } = value as { req?: { raw?: { headers?: unknown; url?: unknown } }; get?: unknown }
  const raw = typeof get === 'function' && typeof req === 'object' && req !== null ? req.raw : undefined
  return typeof raw?.headers === 'object' && typeof raw.url === 'string'
}

/** Views a Hono context. The peer's address is known only on a Node server. The route is the route of the running handler. */
function contextView(c: ContextLike): RequestView {
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
