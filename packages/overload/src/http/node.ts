import { HaltError } from '@halt/core'
import { describe, isPromise } from '@halt/core/http'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'

import { type Connection, type Doorkeeper, REFUSED, UNCOUNTED } from '../shedder/doorkeeper.ts'
import type { Refusals } from './refusals.ts'
import { handlerEnded, hasSeen, type NodeResponse, watch } from './watch.ts'

/** A listener of the event `request` of Node's servers, HTTP/1 or HTTP/2. An Express app is one. */
export type Listener = (request: never, response: never) => unknown

/** Guards a listener of Node's servers. */
export interface WrapListener {
  (listener: (request: IncomingMessage, response: ServerResponse) => unknown): RequestListener
  <L extends Listener>(listener: L): (...given: Parameters<L>) => void
}

/** A middleware of Express, Connect, or of Nest on Express. */
export type Middleware = (request: object, response: object, next: () => void) => void

/** Node's own request. */
export interface RawRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly socket?: Connection | null
  readonly stream?: { readonly session?: Connection | undefined } | undefined
}

/** What a request came on. The socket of HTTP/2 must not be touched. */
export function connectionOf({ socket, stream }: RawRequest): Connection | undefined {
  return stream === undefined ? (socket ?? undefined) : stream.session
}

/** The bindings of `@hono/node-server`: Node's own request and response. Empty elsewhere. */
export function nodeBindings(env: unknown): {
  readonly incoming?: RawRequest
  readonly outgoing?: NodeResponse
} {
  const { incoming, outgoing } = (env ?? {}) as { incoming?: RawRequest; outgoing?: NodeResponse }
  return typeof outgoing?.on === 'function' && incoming !== undefined ? { incoming, outgoing } : {}
}

/** Lets requests of Node's servers in, or answers them. */
export class NodeDoor {
  /** The Fetch requests in flight. One may pass several handlers and middlewares of a shedder. */
  readonly counted: WeakSet<object> = new WeakSet()
  readonly #doorkeeper: Doorkeeper
  readonly #refusals: Refusals

  constructor(doorkeeper: Doorkeeper, refusals: Refusals) {
    this.#doorkeeper = doorkeeper
    this.#refusals = refusals
  }

  readonly wrap: WrapListener = <L extends Listener>(listener: L) => {
    if (typeof listener !== 'function') {
      const fix = 'Give the listener of a server, such as an Express app: createServer(shedder.wrap(app)).'
      throw new HaltError('HALT_E_OPTION', `wrap got ${describe(listener)}.`, fix)
    }
    // What the listener returns is for `EventEmitter.captureRejections`.
    return (...[request, response]: Parameters<L>): unknown => {
      if (!this.admits(request, request, response)) return undefined
      const result = listener(request, response)
      if (isPromise(result)) {
        const ended = (): void => handlerEnded(response)
        result.then(ended, ended)
      }
      return result
    }
  }

  /**
   * Asks for a request, and watches its response or refuses it. Returns whether it may go on.
   *
   * @param shown what the functions of the application get
   */
  admits(shown: unknown, request: RawRequest, response: NodeResponse, target?: string): boolean {
    if (hasSeen(this, response)) return true
    const entry = this.#doorkeeper.ask(
      shown,
      request.method,
      target ?? request.url ?? '/',
      undefined,
      connectionOf(request),
    )
    if (entry === UNCOUNTED) return true
    if (entry !== REFUSED) {
      watch(this, entry, request, response)
      return true
    }
    const { status, headers, rawHeaders, body } = this.#refusals.pick()
    if (!response.headersSent && response.destroyed !== true) {
      // A middleware may have put a method there that misreads a list, as those of compression and express-session long did.
      const given = Object.hasOwn(response, 'writeHead') ? headers : rawHeaders
      ;(response.writeHead as (status: number, headers: object) => void)(status, given)
      ;(response.end as (text: string) => void)(body.text)
    }
    // A middleware before has begun an answer that no handler ends now. Its client would wait for ever.
    else if (response.writableEnded !== true) (response.stream ?? response).destroy?.()
    return false
  }
}

/** Makes the middleware. Mount it before all others, or after authentication if priorities need the user. */
export function expressOf(door: NodeDoor): Middleware {
  return (request, response, next) => {
    // Within a router `url` lacks the path of its mount.
    const { originalUrl } = request as { readonly originalUrl?: string }
    if (door.admits(request, request as RawRequest, response as NodeResponse, originalUrl ?? undefined))
      next()
  }
}
