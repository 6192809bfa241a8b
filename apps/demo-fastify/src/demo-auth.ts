import type { Accounts, User } from '@halt/demo-kit'
import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyRequest {
    user: User | undefined
  }
}

/**
 * FOR THIS DEMO ONLY: trusts the user that the client names in `X-Demo-User`.
 *
 * In a service, your authentication goes here and sets `request.user`.
 */
export function demoAuth(app: FastifyInstance, accounts: Accounts): void {
  app.decorateRequest('user', undefined)
  app.addHook('onRequest', async request => {
    request.user = accounts.find(request.headers['x-demo-user']?.toString())
  })
}
