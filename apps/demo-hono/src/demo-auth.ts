import type { MiddlewareHandler } from 'hono'

import { PLANS } from './policies.ts'

/** Who asks, as an authentication would find out. */
interface User {
  readonly id: string
  readonly plan: keyof typeof PLANS
}

/** What the handlers find on the context. */
export interface DemoEnv {
  Variables: { user: User | undefined }
}

/**
 * FOR THIS DEMO ONLY: believes whatever the client says about itself in `X-Demo-User` and `X-Demo-Plan`.
 *
 * In a service, your authentication stands here and sets `user`.
 */
export const demoAuth: MiddlewareHandler<DemoEnv> = async (c, next) => {
  const id = c.req.header('x-demo-user')
  if (id !== undefined) c.set('user', { id, plan: c.req.header('x-demo-plan') === 'pro' ? 'pro' : 'free' })
  await next()
}
