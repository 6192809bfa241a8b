import type { Accounts, User } from '@halt/demo-kit'
import type { HttpBindings } from '@hono/node-server'
import type { MiddlewareHandler } from 'hono'

/** The variables of the context, and the requests of Node. */
export interface DemoEnv {
  Bindings: HttpBindings
  Variables: { user: User | undefined }
}

/**
 * FOR THIS DEMO ONLY: trusts the user that the client names in `X-Demo-User`.
 *
 * In a service, your authentication goes here and sets `user`.
 */
export function demoAuth(accounts: Accounts): MiddlewareHandler<DemoEnv> {
  return async (c, next) => {
    c.set('user', accounts.find(c.req.header('x-demo-user')))
    await next()
  }
}
