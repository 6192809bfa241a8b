import type { Decision } from '@halt/core'
import { refusalFor } from '@halt/core/http'
import type { FastifyReply } from 'fastify'

import type { LimitedContext } from './options.ts'
import { sendRefusal, setHeaders } from './reply.ts'

/**
 * Answers a request with the refusal that its guard would have sent, for a handler that decides by itself.
 *
 * @returns the reply, for an async handler to return
 * @example
 * const decision = await limiter.check(request, { cost: 10 })
 * if (!decision.allowed) return sendLimited({ request, reply }, decision)
 */
export function sendLimited({ request, reply }: LimitedContext, decision: Decision): FastifyReply {
  const outcome = refusalFor(request.raw, decision)
  setHeaders(reply, outcome)
  sendRefusal(reply, outcome)
  return reply
}
