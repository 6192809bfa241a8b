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

/** The binding of `@hono/node-server` that is read here: the response of Node, of HTTP/1 or HTTP/2. */
interface NodeBindings {
  readonly outgoing?: NodeResponse
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

function outgoingOf<E extends Env>(c: Context<E>): NodeResponse | undefined {
  const { outgoing } = (c.env ?? {}) as NodeBindings
  return typeof outgoing?.once === 'function' ? outgoing : undefined
}
