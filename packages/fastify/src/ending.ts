import { type Guard, onResponseEnd, type Outcome } from '@halt/core/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Lets the guard look at the reply once it is sent; an aborted one is only released. */
export function settleOnEnd(
  reply: FastifyReply,
  guard: Guard<FastifyRequest, FastifyReply>,
  outcome: Outcome,
): void {
  onResponseEnd(reply.raw, isSent => guard.leave(outcome, isSent ? reply : undefined))
}
