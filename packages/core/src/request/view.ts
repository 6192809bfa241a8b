import type { HeaderBag } from './headers.ts'
import type { MatchedRoute } from './matched-route.ts'

/** What Halt looks at of a request, whatever the framework. */
export interface RequestView {
  /** Upper case. */
  readonly method: string
  /** As the client sent it, without the query: not decoded, not relative to a mount. */
  readonly path: string
  /**
   * The route that matched, for `scope: "route"`: its pattern, `/users/:id`, with a method where one handler answers several.
   * Requests of which no route is known share one counter.
   */
  readonly route?: string | MatchedRoute | undefined
  /** The address of the socket's peer; not a forwarded one. */
  readonly ip: string | undefined
  readonly headers: HeaderBag
  /** The version of HTTP that the peer speaks, as Node writes it: `1.0`, `1.1`, `2.0`. A private peer that speaks 1.0 is a proxy. */
  readonly httpVersion?: string | undefined
  /** Whether a body follows that no header announces, as HTTP/2 allows. Default: the headers tell. */
  readonly hasBody?: boolean | undefined
  /** The authenticated user where it is not `request.user`: an object with `id` or `sub`. */
  readonly user?: unknown
  /** The framework's own request: what callbacks get. */
  readonly request: unknown
  /** What callbacks get beside the request, in frameworks that have more to say of a call: Nest's `ExecutionContext`. */
  readonly context?: unknown
}
