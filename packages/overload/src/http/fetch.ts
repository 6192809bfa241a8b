import { isPromise, pathOf } from '@halt/core/http'

import type { Permit } from '../control/permit.ts'
import { type Doorkeeper, REFUSED, UNCOUNTED } from '../shedder/doorkeeper.ts'
import type { Refusal, Refusals } from './refusals.ts'
import { endingOf } from './watch.ts'

/** A Fetch handler, with whatever its platform passes after the request. */
export type FetchHandler<A extends unknown[]> = (request: Request, ...rest: A) => Response | Promise<Response>

/** Guards a Fetch handler. */
export interface WrapFetch {
  <A extends unknown[]>(handler: FetchHandler<A>): FetchHandler<A>
}

/** Makes the wrapper. */
export function fetchOf(doorkeeper: Doorkeeper, refusals: Refusals): WrapFetch {
  return handler =>
    (request, ...rest) => {
      const entry = doorkeeper.ask(request, request.method, pathOf(request.url))
      if (entry === REFUSED) return responseOf(refusals.pick())
      if (entry === UNCOUNTED) return handler(request, ...rest)
      return settle(entry, request.signal, () => handler(request, ...rest))
    }
}

/** A refusal as a response of Fetch. */
export function responseOf({ status, headers, body }: Refusal): Response {
  return new Response(body.text, { status, headers: { ...headers } })
}

/** Runs a handler, and gives the permit back when its response is there or the client has left. A body may stream on. */
function settle(
  permit: Permit,
  signal: AbortSignal | undefined,
  run: () => Response | Promise<Response>,
): Response | Promise<Response> {
  try {
    const answer = run()
    if (!isPromise(answer)) {
      permit.leave(endingOf(answer.status))
      return answer
    }
    const leave = (): void => permit.leave('at-least')
    signal?.addEventListener('abort', leave, { once: true })
    return Promise.resolve(answer).then(
      response => {
        signal?.removeEventListener('abort', leave)
        permit.leave(endingOf(response.status))
        return response
      },
      error => {
        permit.leave('drop')
        throw error
      },
    )
  } catch (error) {
    permit.leave('drop')
    throw error
  }
}
