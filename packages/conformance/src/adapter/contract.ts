import type { Decision, RateLimiter } from '@halt/core'
import type { GuardOptions } from '@halt/core/http'
import type { Store } from '@halt/core/store'
import type { ManualClock } from '@halt/core/testing'

/** The fixed API that an adapter serves in the suite; `:id` is a parameter, and `ALL` one handler of all methods. */
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
  /** Where the framework mounts routers, `/things` is in one that is mounted at `/tenants/:tenant`. */
  readonly path: '/hello' | '/login' | '/items/:id' | '/any' | '/tenants/:tenant/things' | '/health'
}

/** Options of a guard in the suite: what all adapters take. */
export interface SuiteOptions extends GuardOptions {
  readonly limiter: RateLimiter
  readonly onLimited?: ((decision: Decision, context: unknown) => unknown) | undefined
}

/** A guard, and where it stands. */
export interface Mount {
  readonly options: SuiteOptions
  /** The path of the one route it guards, whatever the method. Default: before all routes. */
  readonly at?: Route['path'] | undefined
}

/** A request that reached a handler. */
export interface Call extends Route {
  /** `req.halt` or what the framework calls it. */
  readonly decision: Decision | undefined
}

/** What a handler is to answer. */
export interface Reply {
  readonly status: number
  readonly body: string
}

/** What is to be served: the fixed API, every handler of which asks `handle`, behind some guards. */
export interface Setup {
  /** In the order in which they are mounted. */
  readonly guards: readonly Mount[]
  /** What it throws or rejects with goes to the framework's own error handling. */
  readonly handle: (call: Call) => Reply | Promise<Reply>
  /** Response headers that something before the guards sets: CORS. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether something before the guards has sent the headers and `"early "`; only asked of an adapter with `early`. */
  readonly early: boolean
  /** Whether to serve HTTP/2 without TLS; only asked of an adapter with `http2`. */
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
 * An adapter, as the suite drives it.
 *
 * Before the guards, the server takes the header `X-User` for the id of the authenticated user and puts `{ id }` where
 * the framework has it: `request.user`.
 */
export interface AdapterUnderTest {
  readonly name: string
  /** Serves the fixed API in a real server on 127.0.0.1. */
  serve(setup: Setup): Promise<Served>
  /** A header of the framework's request, for callbacks. */
  header(request: never, name: string): string | undefined
  /** The status of what `chargeWhen` gets. */
  status(response: never): number
  /** Answers in `onLimited`, without a status by what the response has; its result is what the callback returns. */
  answer(context: never, reply: Partial<Pick<Reply, 'status'>> & Pick<Reply, 'body'>): unknown
  /** `connect` of `node:net`, or one like it. */
  connect(port: number, host: string): RawSocket
  /** `connect` of `node:http2`, where the framework serves HTTP/2. */
  http2?(url: string, options?: Http2Options): Http2Session
  /** Whether the framework lets something before the guards begin the answer. */
  readonly early?: boolean
  /** Whether all guards of a route are one check, so that a refusal charges none of them. */
  readonly merges?: boolean
}

/** A store to run the suite on; a fresh one for each test, on the test's clock. */
export interface StoreUnderTest {
  readonly name: string
  readonly make: (clock: ManualClock) => Store | Promise<Store>
}

/** What the suite needs of a socket. */
export interface RawSocket {
  write(text: string): unknown
  destroy(): unknown
  on(event: 'data', listener: (chunk: { toString(encoding: 'latin1'): string }) => void): unknown
  on(event: 'close' | 'error', listener: () => void): unknown
}

/** What the suite asks of an HTTP/2 client. */
export interface Http2Options {
  readonly settings: { readonly initialWindowSize: number }
}

/** What the suite needs of an HTTP/2 client. */
export interface Http2Session {
  request(headers: Record<string, string>, options?: { endStream: boolean }): Http2Stream
  destroy(): void
}

/** What the suite needs of an HTTP/2 request. */
export interface Http2Stream {
  on(event: 'response', listener: (headers: { readonly ':status'?: number | undefined }) => void): unknown
  on(event: 'error' | 'close', listener: () => void): unknown
  /** Resets the stream with an error code. */
  close(code: number): unknown
  resume(): unknown
  /** Sends the body. */
  end(data?: string): unknown
}
