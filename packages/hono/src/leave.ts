import { type EndingResponse, type Guard, onResponseEnd, type Outcome } from '@halt/core/http'
import type { Context, Env, Next } from 'hono'

import { replace } from './response.ts'

/** What `@hono/node-server` binds, as far as it matters here: Node's own response, of HTTP/1 or HTTP/2. */
interface NodeBindings {
  readonly outgoing?: EndingResponse
}

/**
 * Runs the rest of the app, and lets the guard look at the response once it is sent. An aborted one is only released.
 */
export async function leaveAtEnd<E extends Env>(
  c: Context<E>,
  next: Next,
  gate: Guard<Context<E>, Response>,
  outcome: Outcome,
): Promise<void> {
  const { outgoing } = (c.env ?? {}) as NodeBindings
  if (typeof outgoing?.once === 'function') {
    onResponseEnd(outgoing, isSent => gate.leave(outcome, isSent && c.finalized ? c.res : undefined))
    return next()
  }
  let left = false
  const leave = (response?: Response): void => {
    if (left) return
    left = true
    gate.leave(outcome, response)
  }
  // The client may have gone while the store was asked: then nothing tells of it any more.
  const { signal } = c.req.raw
  signal?.addEventListener('abort', () => leave(), { once: true })
  if (signal?.aborted === true) leave()
  try {
    await next()
  } catch (error) {
    leave()
    throw error
  }
  if (!c.finalized) return leave()
  const { req, res } = c
  if (res.body === null || req.method === 'HEAD' || !lasts(gate, outcome)) return leave(res)
  const body = watch(res.body, isWhole => leave(isWhole ? res : undefined))
  replace(c, new Response(body, res))
}

/** Whether the request is in flight until its last byte is sent, not only until the app has answered. */
function lasts<E extends Env>({ limiter }: Guard<Context<E>, Response>, { decision }: Outcome): boolean {
  return (
    decision?.verdicts.some(({ policy }) => limiter.policyNamed(policy)?.algorithm === 'concurrency') === true
  )
}

/** The same bytes as they are asked for; tells when the last one is taken, or when nobody wants the rest. */
function watch(
  body: ReadableStream<Uint8Array>,
  end: (isWhole: boolean) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          controller.close()
          end(true)
        } catch (error) {
          controller.error(error)
          end(false)
        }
      },
      cancel(reason) {
        end(false)
        return reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
