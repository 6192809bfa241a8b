import { Readable } from 'node:stream'

import type { RateLimiter } from '@halt/core'
import type { HeaderWriter } from '@halt/core/http'
import { Completion, estimate, promptOf, STREAM_HEADERS } from '@halt/demo-kit'
import { sendLimited } from '@halt/fastify'
import type { FastifyReply, FastifyRequest } from 'fastify'

/**
 * Streams a model's answer: reserves an estimate first, and settles the tokens used at the end. Fastify also ends the
 * completion when the client leaves.
 */
export function complete(model: RateLimiter<FastifyRequest>, headers: HeaderWriter) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const prompt = promptOf(request.body)
    const reservation = await model.reserve(request, { cost: estimate(prompt) })
    reply.headers(headers(reservation.decision))
    if (!reservation.decision.allowed) return sendLimited({ request, reply }, reservation.decision)
    return reply.headers(STREAM_HEADERS).send(Readable.from(new Completion(prompt, reservation)))
  }
}
