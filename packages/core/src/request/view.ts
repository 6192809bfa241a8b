/** Headers as Node has them (lower-case names) or as Fetch has them. */
export type HeaderBag =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | { get(name: string): string | null }

/** What Halt looks at of a request, whatever the framework. */
export interface RequestView {
  /** Upper case. */
  readonly method: string
  /** As the client sent it, without the query: not decoded, not relative to a mount. */
  readonly path: string
  /** The pattern that matched, for `scope: "route"`: `/users/:id`. */
  readonly route?: string | undefined
  /** The address of the socket's peer; not a forwarded one. */
  readonly ip: string | undefined
  readonly headers: HeaderBag
  /** The authenticated user where it is not `request.user`: an object with `id` or `sub`. */
  readonly user?: unknown
  /** The framework's own request: what callbacks get. */
  readonly request: unknown
  /** What callbacks get beside the request, in frameworks that have more to say of a call: Nest's `ExecutionContext`. */
  readonly context?: unknown
}

interface NodeLike {
  readonly method?: unknown
  readonly url?: unknown
  readonly originalUrl?: unknown
  readonly path?: unknown
  readonly ip?: unknown
  readonly headers?: unknown
  readonly route?: unknown
  readonly socket?: { readonly remoteAddress?: unknown } | null
  readonly raw?: NodeLike
  readonly request?: unknown
  readonly user?: unknown
  readonly context?: unknown
}

const NO_HEADERS: HeaderBag = Object.freeze({})

/**
 * Views a request: a Node `IncomingMessage` (Express, Fastify, Nest, plain http), a Fetch `Request`, or a view already.
 * Never throws: what is missing or of another type is absent.
 */
export function toView(request: unknown): RequestView {
  const from = (typeof request === 'object' && request !== null ? request : {}) as NodeLike
  const socket = from.socket ?? from.raw?.socket
  const url = text(from.originalUrl) ?? text(from.url) ?? text(from.path) ?? '/'
  // Frameworks compute `ip` from forwarding headers by rules of their own: the socket's address wins.
  const ip = socket === undefined || socket === null ? text(from.ip) : text(socket.remoteAddress)
  const isView = from.request !== undefined && socket === undefined
  return {
    method: text(from.method) ?? 'GET',
    path: pathOf(url),
    route: text(from.route),
    ip,
    headers: (typeof from.headers === 'object' && from.headers !== null
      ? from.headers
      : NO_HEADERS) as HeaderBag,
    user: isView ? from.user : undefined,
    request: isView ? from.request : request,
    context: isView ? from.context : undefined,
  }
}

/** Reads one header, its name in lower case; several lines of it as one list. */
export function readHeader(headers: HeaderBag, name: string): string | readonly string[] | undefined {
  if (typeof headers.get === 'function')
    return (headers as { get(name: string): string | null }).get(name) ?? undefined
  const value = (headers as Readonly<Record<string, string | readonly string[] | undefined>>)[name]
  return typeof value === 'string' || Array.isArray(value) ? value : undefined
}

/** The path of a request target: without scheme, host, query and fragment, not decoded. */
export function pathOf(url: string): string {
  let from = 0
  if (!url.startsWith('/')) {
    const scheme = url.indexOf('://')
    if (scheme < 0) return url === '*' || url === '' ? '/' : cut(url, 0)
    from = url.indexOf('/', scheme + 3)
    if (from < 0) return '/'
  }
  return cut(url, from)
}

function cut(url: string, from: number): string {
  const query = url.indexOf('?', from)
  const hash = url.indexOf('#', from)
  const end = query < 0 ? hash : hash < 0 ? query : Math.min(query, hash)
  return end < 0 ? (from === 0 ? url : url.slice(from)) : url.slice(from, end)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
