import { HaltError } from '@halt/core'
import { describe, isPromise, onResponseEnd, pathOf } from '@halt/core/http'

import type { Ending, Permit } from '../limit/permit.ts'
import { type Doorkeeper, REFUSED, UNCOUNTED } from '../shedder/doorkeeper.ts'
import type { Refusal, Refusals } from './refusals.ts'
import { nodeBindings, type NodeDoor } from './node.ts'
import { endingOf, hasSeen, type NodeResponse } from './watch.ts'

/**
 * A Fetch handler, with whatever its platform passes after the request. It may give no response, as after an upgrade of Bun to a
 * WebSocket.
 */
export type FetchHandler<A extends unknown[], T extends Response | undefined = Response> = (
  request: Request,
  ...rest: A
) => T | Promise<T>

/** Guards a Fetch handler. */
export interface WrapFetch {
  <A extends unknown[]>(handler: FetchHandler<A>): FetchHandler<A>
  <A extends unknown[]>(handler: FetchHandler<A, Response | undefined>): FetchHandler<A, Response | undefined>
}

/** Makes the wrapper. */
export function fetchOf(doorkeeper: Doorkeeper, refusals: Refusals, door: NodeDoor): WrapFetch {
  return <A extends unknown[], T extends Response | undefined>(
    handler: FetchHandler<A, T>,
  ): FetchHandler<A, T | Response> => {
    if (typeof handler !== 'function')
      throw new HaltError(
        'HALT_E_OPTION',
        `fetch got ${describe(handler)}.`,
        'Give a Fetch handler: shedder.fetch(request => new Response()).',
      )
    return (request, ...rest) => {
      const { outgoing } = nodeBindings(rest[0])
      if (door.counted.has(request) || (outgoing !== undefined && hasSeen(door, outgoing)))
        return handler(request, ...rest)
      const entry = doorkeeper.ask(request, request.method, pathOf(request.url))
      if (entry === REFUSED) return responseOf(refusals.pick())
      if (entry === UNCOUNTED) return handler(request, ...rest)
      return settle(door, entry, request, outgoing, () => handler(request, ...rest))
    }
  }
}

/** A refusal as a response of Fetch. */
export function responseOf({ status, headers, body }: Refusal): Response {
  return new Response(body.text, { status, headers: { ...headers } })
}

/** Runs a handler, and gives the permit back when its response is there. A body may stream on. */
function settle<T extends Response | undefined>(
  door: NodeDoor,
  permit: Permit,
  request: Request,
  outgoing: NodeResponse | undefined,
  run: () => T | Promise<T>,
): T | Promise<T> {
  const end = hold(door, permit, request)
  // The signal of a request does not tell on Node that the stream of a HEAD request over HTTP/2 was reset.
  if (outgoing !== undefined)
    onResponseEnd(outgoing, isSent =>
      isSent ? permit.leave(endingOf(outgoing.statusCode, request)) : permit.abandon(),
    )
  try {
    const answer = run()
    if (!isPromise(answer)) {
      end(endingOfResponse(answer, request))
      return answer
    }
    return Promise.resolve(answer).then(
      response => {
        end(endingOfResponse(response, request))
        return response
      },
      error => {
        end('drop')
        throw error
      },
    )
  } catch (error) {
    end('drop')
    throw error
  }
}

/**
 * Notes that a request is counted, and whether its client leaves. Returns a function that gives its permit back, and forgets the
 * request.
 */
export function hold({ counted }: NodeDoor, permit: Permit, request: Request): (ending: Ending) => void {
  const { signal } = request as Partial<Request>
  const abandon = (): void => permit.abandon()
  counted.add(request)
  signal?.addEventListener('abort', abandon, { once: true })
  // It may have left while an earlier middleware waited. Then no event follows.
  if (signal?.aborted === true) abandon()
  return ending => {
    counted.delete(request)
    signal?.removeEventListener('abort', abandon)
    permit.leave(ending)
  }
}

/** No response tells nothing: the platform answers. */
function endingOfResponse(response: Response | undefined, request: Request): Ending {
  return response === undefined ? 'drop' : endingOf(response.status, request)
}
