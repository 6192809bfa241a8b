import { continues, pathOf, type RequestView } from './view.ts'
import { contextView, isContext } from './hono-view.ts'
import { anyCase, type HeaderBag, NO_HEADERS } from './headers.ts'
import type { MatchedRoute } from './matched-route.ts'
import { matchedRoute } from './route.ts'

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
