import type { FastifyInstance } from 'fastify'

import { PLANS } from './policies.ts'

/** Who asks, as an authentication would find out. */
interface User {
  readonly id: string
  readonly plan: keyof typeof PLANS
}

declare module 'fastify' {
  interface FastifyRequest {
    user: User | undefined
  }
}

/**
 * FOR THIS DEMO ONLY: believes whatever the client says about itself in `X-Demo-User` and `X-Demo-Plan`.
 *
 * In a service, your authentication stands here and sets `request.user`.
 */
export function demoAuth(app: FastifyInstance): void {
  app.decorateRequest('user', undefined)
  app.addHook('onRequest', async request => {
    const { 'x-demo-user': id, 'x-demo-plan': plan } = request.headers
    if (typeof id === 'string') request.user = { id, plan: plan === 'pro' ? 'pro' : 'free' }
  })
}
