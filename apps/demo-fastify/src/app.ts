import { RateLimiter, type RateLimiterOptions } from '@halt/core'
import { halt } from '@halt/fastify'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'

import { demoAuth } from './demo-auth.ts'
import { EVERYBODY, LOGIN, PLANS } from './policies.ts'

/** What the app does not choose itself. */
export interface AppOptions {
  /** Where the counters are. */
  readonly store: RateLimiterOptions['store']
  /** The longest that a request waits for it. Default 100 ms. */
  readonly storeTimeout?: RateLimiterOptions['storeTimeout']
}

/** A small API behind Halt: one limit for everybody, a tight one for passwords, plans for users. */
export async function createApp({ store, storeTimeout }: AppOptions): Promise<FastifyInstance> {
  // Local addresses are exempt by default; here every client is local.
  const local = { store, storeTimeout, exemptPrivateIps: false } as const
  const everybody = new RateLimiter<FastifyRequest>({ ...local, policy: EVERYBODY })
  const plans = new RateLimiter<FastifyRequest>({
    ...local,
    policy: ({ user }) => PLANS[user?.plan ?? 'free'],
  })

  const app = Fastify()
  await app.register(halt, { limiter: everybody })
  demoAuth(app)

  // Never counted, so that a health check never turns a busy instance into a dead one.
  app.get('/health', () => ({ status: 'up' }))

  // One check with everybody's limit: both are charged or neither, in one round trip.
  app.post('/auth/login', { config: { halt: { policy: LOGIN } } }, ({ body }, reply) => {
    const { password } = (body ?? {}) as { password?: unknown }
    if (password === 'correct horse') return reply.send({ welcome: true })
    return reply.code(401).send({ error: 'wrong_password' })
  })

  app.get('/quotes', { config: { halt: { limiter: plans } } }, request => {
    return { quote: 'Make haste slowly.', left: request.halt?.remaining }
  })

  // Heavy work: one report takes what five quotes take.
  app.get('/reports', { config: { halt: { limiter: plans, cost: 5 } } }, request => {
    return { report: 'All is well.', left: request.halt?.remaining }
  })

  return app
}
