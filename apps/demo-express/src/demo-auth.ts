import type { RequestHandler } from 'express'

import { PLANS } from './policies.ts'

/** Who asks, as an authentication would find out. */
interface User {
  readonly id: string
  readonly plan: keyof typeof PLANS
}

declare global {
  namespace Express {
    interface Request {
      user?: User | undefined
    }
  }
}

/**
 * FOR THIS DEMO ONLY: believes whatever the client says about itself in `X-Demo-User` and `X-Demo-Plan`.
 *
 * In a service, your authentication stands here and sets `req.user`.
 */
export const demoAuth: RequestHandler = (req, _res, next) => {
  const id = req.get('x-demo-user')
  if (id !== undefined) req.user = { id, plan: req.get('x-demo-plan') === 'pro' ? 'pro' : 'free' }
  next()
}
