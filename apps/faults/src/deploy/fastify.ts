import { drain, halt, type HaltHookOptions } from '@halt/fastify'
import Fastify, { type FastifyReply } from 'fastify'

import { countsByStatus, type Serve } from './kit.ts'
import { MAX_WAIT, ROUTES } from './policies.ts'

export const serveFastify: Serve = async ({ limiters, answer }, port) => {
  const app = Fastify()
  await app.register(halt, { limiter: limiters.units, global: false })
  for (const route of ROUTES) {
    const counts = countsByStatus(route)
    const options: HaltHookOptions = {
      limiter: limiters[route],
      ...(counts && { chargeWhen: (reply: FastifyReply) => counts(reply.statusCode) }),
      ...(route === 'waits' && { delay: { maxWait: MAX_WAIT } }),
    }
    app.route({
      method: ['GET', 'POST'],
      url: `/${route}`,
      ...(route !== 'acquires' && { preHandler: app.halt(options) }),
      async handler(request, reply) {
        const { status, body } = await answer(route, request.url)
        return reply.code(status).send(body)
      },
    })
  }
  await app.listen({ port, host: '127.0.0.1' })
  return () => drain(app, { limiter: Object.values(limiters) })
}
