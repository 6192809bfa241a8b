import type { Accounts, User } from '@halt/demo-kit'
import type { MiddlewareHandler } from 'hono'

/** What the handlers find on the context. */
export interface DemoEnv {
  Variables: { user: User | undefined }
}

/**
 * FOR THIS DEMO ONLY: believes whatever the client says about itself in `X-Demo-User`.
 *
 * In a service, your authentication stands here and sets `user`.
 */
export function demoAuth(accounts: Accounts): MiddlewareHandler<DemoEnv> {
  return async (c, next) => {
    c.set('user', accounts.find(c.req.header('x-demo-user')))
    await next()
  }
}
