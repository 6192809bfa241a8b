import type { RateLimiter } from '@halt/core'
import { type Answer, type Operator, visitOf } from '@halt/demo-kit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Serves the metrics, before any limit counts the request. */
export function metricsPage(app: FastifyInstance, operator: Operator): void {
  app.addHook('onRequest', async (request, reply) => {
    const answer = await operator.metrics(visitOf(request.raw))
    return answer && send(answer, reply)
  })
}

/** Serves `/debug/explain`: why this request would be allowed or refused. */
export function explainRoute(
  app: FastifyInstance,
  operator: Operator,
  limiter: RateLimiter<FastifyRequest>,
): void {
  // No limit keeps an operator out.
  app.get('/debug/explain', { config: { halt: false } }, async (request, reply) =>
    send(await operator.explain(visitOf(request.raw), () => limiter.explain(request)), reply),
  )
}

function send({ status, headers, body }: Answer, reply: FastifyReply): FastifyReply {
  return reply.code(status).headers(headers).send(body)
}
