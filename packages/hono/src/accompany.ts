import { type Guard, type NodeResponse, onResponseEnd, type Outcome } from '@halt/core/http'
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
  let isOver = false
  const leave = (): void => {
    if (!isOver) requestGuard.leave(outcome)
    isOver = true
  }
  const { outgoing } = (c.env ?? {}) as NodeBindings
  const isOnNode = typeof outgoing?.once === 'function'
  if (isOnNode) onResponseEnd(outgoing as NodeResponse, leave)
  else whenAborted(c.req.raw.signal, leave)
  try {
    await next()
  } catch (error) {
    // On Node the server answers the error, and onResponseEnd reports the end of that answer.
    if (!isOnNode) leave()
    throw error
  }
  if (c.finalized && !isOver) requestGuard.decided(outcome, { response: c.res, c })
  if (!isOnNode) leaveWhenSent(c, requestGuard, outcome, leave)
}

// The client may have left during the call of the store. Then no further event reports it.
function whenAborted(signal: AbortSignal | undefined, leave: () => void): void {
  signal?.addEventListener('abort', leave, { once: true })
  if (signal?.aborted === true) leave()
}

// There is no socket to watch, so the end of the body shows that the answer was sent.
function leaveWhenSent<E extends Env>(
  c: Context<E>,
  requestGuard: Guard<Context<E>, AnsweredRequest<E>>,
  outcome: Outcome,
  leave: () => void,
): void {
  if (!c.finalized) return leave()
  const { req, res } = c
  if (res.body === null || req.method === 'HEAD' || !isInFlightUntilSent(requestGuard, outcome))
    return leave()
  replaceResponse(c, new Response(callAtEnd(res.body, leave), res))
}

/** True if the request stays in flight until its last byte is sent, because a concurrency policy counts it. */
function isInFlightUntilSent<E extends Env>(
  { limiter }: Guard<Context<E>, AnsweredRequest<E>>,
  { decision }: Outcome,
): boolean {
  return (
    decision?.verdicts.some(({ policy }) => limiter.policyNamed(policy)?.algorithm === 'concurrency') === true
  )
}

/** Passes a body on, and calls back once its last byte is read, or once it fails or is cancelled. */
function callAtEnd(body: ReadableStream<Uint8Array>, end: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          controller.close()
        } catch (error) {
          controller.error(error)
        }
        end()
      },
      cancel(reason) {
        end()
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
