import type { Accounts, User } from '@halt/demo-kit'
import type { RequestHandler } from 'express'

declare global {
  namespace Express {
    interface Request {
      user?: User | undefined
    }
  }
}

/**
 * FOR THIS DEMO ONLY: trusts the user that the client names in `X-Demo-User`.
 *
 * In a service, your authentication goes here and sets `req.user`.
 */
export function demoAuth(accounts: Accounts): RequestHandler {
  return (req, _res, next) => {
    req.user = accounts.find(req.get('x-demo-user'))
    next()
  }
}
