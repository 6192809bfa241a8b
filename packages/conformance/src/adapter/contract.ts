import type { Decision, RateLimiter } from '@halt/core'
import type { GuardOptions } from '@halt/core/http'
import type { Store } from '@halt/core/store'
import type { ManualClock } from '@halt/core/testing'

/** The fixed API that an adapter serves in the suite. `:id` is a parameter. `ALL` is one handler of all methods. */
export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/hello' },
  { method: 'OPTIONS', path: '/hello' },
  { method: 'POST', path: '/login' },
  { method: 'GET', path: '/items/:id' },
  { method: 'ALL', path: '/any' },
  { method: 'GET', path: '/tenants/:tenant/things' },
  { method: 'GET', path: '/health' },
  { method: 'POST', path: '/health' },
]

/** One route of the fixed API. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'OPTIONS' | 'ALL'
  /** If the framework mounts routers, `/things` is a route of a router that is mounted at `/tenants/:tenant`. */
  readonly path: '/hello' | '/login' | '/items/:id' | '/any' | '/tenants/:tenant/things' | '/health'
}

/** Options of a guard in the suite: the options that all adapters take. */
export interface SuiteOptions extends GuardOptions {
  readonly limiter: RateLimiter
  readonly onLimited?: ((decision: Decision, context: unknown) => unknown) | undefined
}

/** A guard and its place. */
export interface Mount {
  readonly options: SuiteOptions
  /** The path of the one route that it guards, for all methods. Default: before all routes. */
  readonly at?: Route['path'] | undefined
}

/** A request that reached a handler. */
export interface Call extends Route {
  /** `req.halt`, or its equivalent in the framework. */
  readonly decision: Decision | undefined
}

/** The response that a handler must send. */
export interface Reply {
  readonly status: number
  readonly body: string
}

/** The server that a test needs: the fixed API behind guards. Every handler calls `handle`. */
export interface Setup {
  /** In the order in which they are mounted. */
  readonly guards: readonly Mount[]
  /** Makes the response. Its error must reach the framework's own error handling. */
  readonly handle: (call: Call) => Reply | Promise<Reply>
  /** Response headers that middleware before the guards sets, as for CORS. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether middleware before the guards sends the headers and `"early "`. Only for an adapter with `early`. */
  readonly early: boolean
  /** Whether to serve HTTP/2 without TLS. Only for an adapter with `http2`. */
  readonly http2: boolean
}

/** A running server. */
export interface Served {
  /** `http://127.0.0.1:41234` */
  readonly url: string
  /** Ends the server and all its connections. */
  close(): Promise<void>
}

/**
 * Drives an adapter for the suite.
 *
 * Before the guards, the server takes the header `X-User` for the id of the authenticated user, and sets `request.user` to
 * `{ id }`.
 */
export interface AdapterUnderTest {
  readonly name: string
  /** Serves the fixed API in a real server on 127.0.0.1. */
  serve(setup: Setup): Promise<Served>
  /** Reads a header of the framework's request. */
  header(request: never, name: string): string | undefined
  /** Reads the status of the response that `chargeWhen` gets. */
  status(response: never): number
  /** Answers in `onLimited`; without a status, by the response's own. `onLimited` returns its result. */
  answer(context: never, reply: Partial<Pick<Reply, 'status'>> & Pick<Reply, 'body'>): unknown
  /** `connect` of `node:net`, or one like it. */
  connect(port: number, host: string): RawSocket
  /** `connect` of `node:http2`, if the framework serves HTTP/2. */
  http2?(url: string, options?: Http2Options): Http2Session
  /** Whether middleware before the guards can begin the response. */
  readonly early?: boolean
  /** Whether all guards of a route are one check, so that a refusal charges none of them. */
  readonly merges?: boolean
  /** Whether the server begins a request of a connection only after it has answered the one before. */
  readonly inSequence?: boolean
  /** Whether the runtime does not tell the HTTP version of a request. */
  readonly hidesVersion?: boolean
  /**
   * Whether `fetch` of the runtime keeps a connection as long as the server does, so that it may send a request on one that the
   * server closes. Then each request of the suite has a connection of its own.
   */
  readonly keepsTooLong?: boolean
  /** Whether the server closes a connection after a request whose body nobody read. */
  readonly closesUnread?: boolean
  /** Whether the runtime may end a request whose client leaves before anybody hears of it. What it holds is free after its `ttl`. */
  readonly forgetsLeavers?: boolean
}

/** Makes the stores that the suite runs on: an empty one per test, on the test's clock. */
export interface StoreUnderTest {
  readonly name: string
  readonly make: (clock: ManualClock) => Store | Promise<Store>
}

/** The methods of a socket that the suite calls. */
export interface RawSocket {
  write(text: string): unknown
  destroy(): unknown
  on(event: 'data', listener: (chunk: { toString(encoding: 'latin1'): string }) => void): unknown
  on(event: 'close' | 'error', listener: () => void): unknown
}

/** The options of an HTTP/2 client that the suite sets. */
export interface Http2Options {
  readonly settings: { readonly initialWindowSize: number }
}

/** The methods of an HTTP/2 client that the suite calls. */
export interface Http2Session {
  request(headers: Record<string, string>, options?: { endStream: boolean }): Http2Stream
  destroy(): void
}

/** The methods of an HTTP/2 request that the suite calls. */
export interface Http2Stream {
  on(event: 'response', listener: (headers: { readonly ':status'?: number | undefined }) => void): unknown
  on(event: 'error' | 'close', listener: () => void): unknown
  /** Resets the stream with an error code. */
  close(code: number): unknown
  resume(): unknown
  /** Sends the body. */
  end(data?: string): unknown
}
