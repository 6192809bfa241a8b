import type { Guard, Outcome } from '@halt/core/http'
import type { Context, Env, Next } from 'hono'

/** What `@hono/node-server` binds, as far as it matters here: Node's own response, of HTTP/1 or HTTP/2. */
interface NodeBindings {
  readonly outgoing?: {
    once?(event: 'finish' | 'close', listener: () => void): unknown
    readonly destroyed?: boolean
    readonly stream?: { readonly destroyed?: boolean }
  }
}

/**
 * Runs the rest of the app, and lets the guard look at the response once it is sent. An aborted one is only released.
 *
 * @param holds whether the request is in flight until its last byte is sent, not only until the app has answered
 */
export async function settleAround<E extends Env>(
  c: Context<E>,
  next: Next,
  gate: Guard<Context<E>, Response>,
  outcome: Outcome,
  holds: boolean,
): Promise<void> {
  let isLeft = false
  const leave = (response?: Response): void => {
    if (isLeft) return
    isLeft = true
    gate.leave(outcome, response)
  }
  const { outgoing } = (c.env ?? {}) as NodeBindings
  if (typeof outgoing?.once === 'function') {
    outgoing.once('finish', () => leave(c.finalized ? c.res : undefined))
    outgoing.once('close', () => leave())
    // It may have closed while the store was asked.
    if (outgoing.destroyed === true || outgoing.stream?.destroyed === true) leave()
    return next()
  }
  try {
    await next()
  } catch (error) {
    leave()
    throw error
  }
  const { req, res } = c
  if (req.raw.signal?.aborted === true) leave()
  else if (!holds || res.body === null || req.method === 'HEAD') leave(res)
  else {
    const watched = new Response(
      watch(res.body, isWhole => leave(isWhole ? res : undefined)),
      res,
    )
    // Unset first, or Hono would copy it once more.
    c.res = undefined
    c.res = watched
  }
}

/** The same bytes as they are asked for; tells when the last one is taken, or nobody wants the rest. */
function watch(body: ReadableStream<Uint8Array>, end: (isWhole: boolean) => void): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  const source: UnderlyingDefaultSource<Uint8Array> = {
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
  }
  return new ReadableStream(source, { highWaterMark: 0 })
}
