import { type HeaderBag, readHeader } from './headers.ts'
import type { MatchedRoute } from './route.ts'

/** The path of a request target, without scheme, host, query and fragment. It is not decoded. */
export function pathOf(url: string): string {
  if (url.startsWith('/')) return cut(url, 0)
  const scheme = url.indexOf('://')
  if (scheme < 0) return url === '*' || url === '' ? '/' : cut(url, 0)
  // The host ends at the first "/", "?" or "#", so the path of `http://x?y/health` is "/".
  const rest = cut(url, scheme + 3)
  const slash = rest.indexOf('/')
  if (slash < 0) return '/'
  // Frameworks disagree where a strange host ends, so its path is not believed. A path with "//" is never exempt.
  return /^[\w.:[\]-]*$/.test(rest.slice(0, slash)) ? rest.slice(slash) : `//${rest}`
}

function cut(url: string, from: number): string {
  const query = url.indexOf('?', from)
  const hash = url.indexOf('#', from)
  const end = query < 0 ? hash : hash < 0 ? query : Math.min(query, hash)
  return end < 0 ? (from === 0 ? url : url.slice(from)) : url.slice(from, end)
}

/** Whether the headers of a request announce a body. */
export function announcesBody(headers: HeaderBag): boolean {
  if (readHeader(headers, 'transfer-encoding') !== undefined) return true
  const length = readHeader(headers, 'content-length')
  return length !== undefined && String(length) !== '0'
}

/** Whether a Node HTTP/2 request continues after its headers. A body may then follow that no header announces. */
export function continues(request: object | undefined): boolean {
  return (request as NodeRequest | undefined)?.stream?.endAfterHeaders === false
}

interface NodeRequest {
  readonly socket?: Closable | null
  /** The stream of an HTTP/2 request. */
  readonly stream?: (Closable & { readonly endAfterHeaders?: boolean | undefined }) | null
  /** Node's own request, in Fastify. */
  readonly raw?: NodeRequest
  /** Where Hono has Node's own request. */
  readonly env?: { readonly incoming?: NodeRequest } | null
}

interface Closable {
  readonly destroyed?: unknown
  readonly remoteAddress?: unknown
  readonly localAddress?: unknown
}

/**
 * Whether the client of a request closed or reset the connection already. Node then no longer knows its address, unless somebody
 * read it before. Always false outside Node, and for requests made by hand.
 */
export function hasDeparted(request: unknown): boolean {
  if (typeof request !== 'object' || request === null) return false
  const own = request as NodeRequest
  const { socket, stream } = own.raw ?? own.env?.incoming ?? own
  // A destroyed HTTP/2 stream has no socket.
  const connection = socket ?? stream
  if (connection === undefined || connection === null) return false
  const { destroyed, remoteAddress, localAddress } = connection
  // Node may hand over the request of a connection that the client has reset before it notices the reset. Such a socket has an
  // address of its own and no peer. A Unix socket has neither.
  return destroyed === true || (remoteAddress === undefined && localAddress !== undefined)
}

/** The parts of a request that Halt reads, the same for every framework. */
export interface RequestView {
  /** The method, in upper case. */
  readonly method: string
  /** The path as the client sent it, without the query. It is not decoded, and not relative to a mount. */
  readonly path: string
  /**
   * The request target as the client sent it, where `path` is a getter that cuts it. From the target alone Halt sees of nearly
   * every request that its path is no health check.
   */
  readonly target?: string | undefined
  /**
   * The matched route, for `scope: "route"`: its pattern, such as `/users/:id`, with a method if the handler has several methods.
   * Requests whose route is not known share one counter.
   */
  readonly route?: string | MatchedRoute | undefined
  /** The address of the socket's peer, never a forwarded address. */
  readonly ip: string | undefined
  /**
   * The client's address, where the adapter sees no socket and the platform tells it. Halt reads it only if there is no `ip`. It
   * is never exempt as a private address, because it is not the address of a peer.
   */
  readonly clientIp?: string | undefined
  /** Whether the client has closed or reset its connection, so that nobody knows its address. Default: `request` tells it on Node. */
  readonly departed?: boolean | undefined
  readonly headers: HeaderBag
  /** The peer's HTTP version as Node writes it: `1.0`, `1.1`, `2.0`. Halt treats a private peer with 1.0 as a proxy. */
  readonly httpVersion?: string | undefined
  /** Whether a body follows that no header announces, as HTTP/2 allows. Default: only the headers say. */
  readonly hasBody?: boolean | undefined
  /** The authenticated user, an object with `id` or `sub`. Default: `request.user`. */
  readonly user?: unknown
  /** The framework's own request. Callbacks get it. */
  readonly request: unknown
  /** The second argument of callbacks, in frameworks that have one: Nest's `ExecutionContext`. */
  readonly context?: unknown
}
