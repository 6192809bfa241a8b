import { RateLimiter } from '@halt/core'
import { headerWriter } from '@halt/core/http'
import { type AppOptions, EVERYBODY, LOGIN, MODEL, OPERATOR, PENALTY, userLimits } from '@halt/demo-kit'
import { halt } from '@halt/fastify'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'

import { complete } from './complete.ts'
import { demoAuth } from './demo-auth.ts'
import { explainRoute, metricsPage } from './operator.ts'

/** A small API with limits for all clients, for passwords, for users and their companies, and for a model. */
export async function createApp({
  store,
  storeTimeout,
  accounts,
  operator,
}: AppOptions): Promise<FastifyInstance> {
  const common = {
    store,
    storeTimeout,
    telemetry: operator?.telemetry,
    control: operator?.control,
    // Private addresses are exempt by default, and here every client is local.
    exemptPrivateIps: false,
  } as const
  const everybody = new RateLimiter<FastifyRequest>({ ...common, policy: EVERYBODY })
  const limits = userLimits(({ user }: FastifyRequest) => user?.company)
  const users = new RateLimiter<FastifyRequest>({
    ...common,
    policy: ({ user }) => limits[user?.plan ?? 'free'],
    penalty: PENALTY,
  })
  const model = new RateLimiter<FastifyRequest>({ ...common, policy: MODEL })

  const app = Fastify()
  if (operator !== undefined) {
    const ofUsers = { limiter: users, plans: limits }
    metricsPage(app, operator)
    await app.register(operator.page([everybody, ofUsers, model]).fastify, { prefix: OPERATOR })
  }
  // The refusal names the policy.
  await app.register(halt, { limiter: everybody, errorFormat: 'problem' })
  demoAuth(app, accounts)

  // Not counted, so that a refused health check never takes a busy instance out of service.
  app.get('/health', () => ({ status: 'up' }))

  // One check with the limit of all routes: both are charged or neither, in one round trip.
  app.post('/auth/login', { config: { halt: { policy: LOGIN } } }, ({ body }, reply) => {
    const { password } = (body ?? {}) as { password?: unknown }
    if (password === 'correct horse') return reply.send({ welcome: true })
    return reply.code(401).send({ error: 'wrong_password' })
  })

  app.get('/quotes', { config: { halt: { limiter: users } } }, request => {
    return { quote: 'Make haste slowly.', left: request.halt?.remaining }
  })

  // Heavy work: a report costs as much as five quotes.
  app.get('/reports', { config: { halt: { limiter: users, cost: 5 } } }, request => {
    return { report: 'All is well.', left: request.halt?.remaining }
  })

  app.post('/plan', ({ user, body }, reply) => {
    const { plan } = (body ?? {}) as { plan?: unknown }
    if (accounts.move(user, plan)) return reply.send({ plan })
    return reply.code(400).send({ error: 'no_such_user_or_plan' })
  })

  app.post('/complete', complete(model, headerWriter('openai', model)))
  if (operator !== undefined) explainRoute(app, operator, users)

  return app
}
