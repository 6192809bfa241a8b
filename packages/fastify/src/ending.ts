import type { Guard, Outcome } from '@halt/core/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Lets the guard look at the reply once it is sent; an aborted one is only released.
 *
 * By the response's own events: `onRequestAbort` is not told of a client that leaves after its body was read, and
 * `onResponse` not of one that leaves at all.
 */
export function settleOnEnd(
  reply: FastifyReply,
  guard: Guard<FastifyRequest, FastifyReply>,
  outcome: Outcome,
): void {
  const { raw } = reply
  let left = false
  const leave = (sent: FastifyReply | undefined): void => {
    if (left) return
    left = true
    guard.leave(outcome, sent)
  }
  // The client may have left while the store was asked: its events are over.
  if (isGone(raw)) return leave(undefined)
  // An HTTP/2 response "finishes" when its stream is reset, too.
  raw.once('finish', () => leave(raw.writableEnded ? reply : undefined))
  raw.once('close', () => leave(undefined))
}

function isGone(raw: FastifyReply['raw']): boolean {
  const { stream } = raw as { readonly stream?: { readonly destroyed: boolean } | undefined }
  return raw.destroyed || stream?.destroyed === true
}
