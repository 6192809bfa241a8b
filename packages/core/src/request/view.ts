import type { HeaderBag } from './headers.ts'
import type { MatchedRoute } from './matched-route.ts'

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
