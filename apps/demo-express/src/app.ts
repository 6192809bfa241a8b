import { type RateLimiterOptions, RateLimiter } from '@halt/core'
import { halt } from '@halt/express'
import express, { type Express, type Request } from 'express'

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
export function createApp({ store, storeTimeout }: AppOptions): Express {
  // Local addresses are exempt by default; here every client is local.
  const local = { store, storeTimeout, exemptPrivateIps: false } as const
  const everybody = new RateLimiter<Request>({ ...local, policy: EVERYBODY })
  const passwords = new RateLimiter<Request>({ ...local, policy: LOGIN })
  const plans = new RateLimiter<Request>({ ...local, policy: req => PLANS[req.user?.plan ?? 'free'] })

  const app = express()
  app.disable('x-powered-by')
  app.use(halt({ limiter: everybody }))
  app.use(demoAuth)

  // Never counted, so that a health check never turns a busy instance into a dead one.
  app.get('/health', (_req, res) => void res.json({ status: 'up' }))

  app.post('/auth/login', halt({ limiter: passwords }), express.json(), (req, res) => {
    const { password } = (req.body ?? {}) as { password?: unknown }
    if (password === 'correct horse') return void res.json({ welcome: true })
    res.status(401).json({ error: 'wrong_password' })
  })

  app.get('/quotes', halt({ limiter: plans }), (req, res) => {
    res.json({ quote: 'Make haste slowly.', left: req.halt?.remaining })
  })

  // Heavy work: one report takes what five quotes take.
  app.get('/reports', halt({ limiter: plans, cost: 5 }), (req, res) => {
    res.json({ report: 'All is well.', left: req.halt?.remaining })
  })

  return app
}
