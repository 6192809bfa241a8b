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
  if (raw.destroyed) return leave(undefined)
  raw.once('finish', () => leave(reply))
  raw.once('close', () => leave(undefined))
}
