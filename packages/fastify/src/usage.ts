import type { Limiter } from '@halt/core'
import { checkLimiter, usageOf } from '@halt/core/http'
import type { FastifyReply, FastifyRequest } from 'fastify'

import { FastifyView } from './view.ts'

/**
 * Makes a handler that tells each client what it has left of its own limits. It charges nothing.
 *
 * @throws HaltError `HALT_E_LIMITER`
 * @example
 * app.get('/usage', { config: { halt: false } }, usage(limiter))
 */
export function usage(
  limiter: Limiter<FastifyRequest>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  checkLimiter(limiter)
  return async (request, reply) => {
    const { headers, body } = await usageOf(limiter, new FastifyView(request))
    return reply.headers({ ...headers }).send(JSON.stringify(body))
  }
}
