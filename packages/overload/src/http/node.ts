import { type Doorkeeper, REFUSED, UNCOUNTED } from '../shedder/doorkeeper.ts'
import type { Refusals } from './refusals.ts'
import { hasSeen, type NodeResponse, watch } from './watch.ts'

/** A listener of the event `request` of Node's servers, HTTP/1 or HTTP/2. */
export type Listener<Q, S> = (request: Q, response: S) => unknown

/** Guards a listener of Node's servers. */
export interface WrapListener {
  <Q, S>(listener: Listener<Q, S>): (request: Q, response: S) => void
}

/** Node's own request. */
export interface RawRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
}

/** Lets requests of Node's servers in, or answers them. */
export class NodeDoor {
  readonly #doorkeeper: Doorkeeper
  readonly #refusals: Refusals

  constructor(doorkeeper: Doorkeeper, refusals: Refusals) {
    this.#doorkeeper = doorkeeper
    this.#refusals = refusals
  }

  readonly wrap: WrapListener = listener => {
    if (typeof listener !== 'function')
      throw new TypeError('wrap() takes the listener of a server, such as an Express app.')
    return (request, response) => {
      if (this.admits(request, request as RawRequest, response as NodeResponse)) listener(request, response)
    }
  }

  /**
   * Asks for a request, and watches its response or refuses it. Returns whether it may go on.
   *
   * @param shown what the functions of the application get
   */
  admits(shown: unknown, request: RawRequest, response: NodeResponse, target?: string): boolean {
    if (hasSeen(this, response)) return true
    const entry = this.#doorkeeper.ask(shown, request.method, target ?? request.url ?? '/')
    if (entry === UNCOUNTED) return true
    if (entry !== REFUSED) {
      watch(this, entry, request, response)
      return true
    }
    const { status, headers, body } = this.#refusals.pick()
    if (!response.headersSent && response.destroyed !== true) {
      ;(response.writeHead as (status: number, headers: object) => void)(status, headers)
      ;(response.end as (text: string) => void)(body.text)
    }
    return false
  }
}
