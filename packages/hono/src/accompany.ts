import {
  type AbortSignalLike,
  departureOf,
  type Guard,
  type NodeResponse,
  type Outcome,
  watchFetch,
} from '@halt/core/http'
import type { Context, Env, Next } from 'hono'

import { replaceResponse } from './response.ts'

/** The bindings of `@hono/node-server` that are read here: the response of Node, of HTTP/1 or HTTP/2, and its request. */
interface NodeBindings {
  readonly outgoing?: NodeResponse
  readonly incoming?: { readonly socket?: NodeResponse }
}

/** The arguments of `chargeWhen`. */
export interface AnsweredRequest<E extends Env> {
  readonly response: Response
  readonly c: Context<E>
}

/** Runs the rest of the app. Tells the guard when the app has answered, and when the request has ended. */
export async function accompany<E extends Env>(
  c: Context<E>,
  next: Next,
  requestGuard: Guard<Context<E>, AnsweredRequest<E>>,
  outcome: Outcome,
): Promise<void> {
  const outgoing = outgoingOf(c)
  const exchange = watchFetch(requestGuard, outcome, c.req.raw, outgoing, response => ({ response, c }))
  try {
    await next()
  } catch (error) {
    exchange.failed()
    throw error
  }
  const response = c.finalized ? c.res : undefined
  const watched = exchange.answered(response)
  if (watched !== undefined && watched !== response) replaceResponse(c, watched)
}

/** The signal that aborts when the client leaves; undefined if the runtime does not tell. */
export function departureFrom<E extends Env>(c: Context<E>): AbortSignalLike | undefined {
  const outgoing = outgoingOf(c)
  return outgoing === undefined ? (c.req.raw as Partial<Request>).signal : departureOf(outgoing)
}

/** What shows the end of a request on Node: its response or, for an upgrade to a WebSocket, which has none, its socket. */
function outgoingOf<E extends Env>(c: Context<E>): NodeResponse | undefined {
  const { outgoing, incoming } = (c.env ?? {}) as NodeBindings
  if (typeof outgoing?.once === 'function') return outgoing
  const socket = incoming?.socket
  return c.req.header('upgrade') !== undefined && typeof socket?.once === 'function' ? socket : undefined
}
