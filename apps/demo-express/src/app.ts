import { RateLimiter } from '@halt/core'
import { headerWriter } from '@halt/core/http'
import {
  type AppOptions,
  EVERYBODY,
  LOGIN,
  metricsPage,
  MODEL,
  OPERATOR,
  PENALTY,
  send,
  userLimits,
  visitOf,
} from '@halt/demo-kit'
import { halt } from '@halt/express'
import express, { type Express, type Request } from 'express'

import { complete } from './complete.ts'
import { demoAuth } from './demo-auth.ts'

/** A small API with limits for all clients, for passwords, for users and their companies, and for a model. */
export function createApp({ store, storeTimeout, accounts, operator }: AppOptions): Express {
  const common = {
    store,
    storeTimeout,
    telemetry: operator?.telemetry,
    control: operator?.control,
    // Private addresses are exempt by default, and here every client is local.
    exemptPrivateIps: false,
  } as const
  const everybody = new RateLimiter<Request>({ ...common, policy: EVERYBODY })
  const passwords = new RateLimiter<Request>({ ...common, policy: LOGIN })
  const limits = userLimits((req: Request) => req.user?.company)
  const users = new RateLimiter<Request>({
    ...common,
    policy: req => limits[req.user?.plan ?? 'free'],
    penalty: PENALTY,
  })
  const model = new RateLimiter<Request>({ ...common, policy: MODEL })
  // The refusal names the policy.
  const errorFormat = 'problem'

  const app = express()
  app.disable('x-powered-by')
  if (operator !== undefined) {
    // Before every limit, so that none of them keeps an operator out.
    const ofUsers = { limiter: users, plans: limits }
    app.use(metricsPage(operator))
    app.use(OPERATOR, operator.page([everybody, passwords, ofUsers, model]).node)
    app.get('/debug/explain', demoAuth(accounts), async (req, res) => {
      send(await operator.explain(visitOf(req), () => users.explain(req)), res)
    })
  }
  app.use(halt({ limiter: everybody, errorFormat }))
  app.use(demoAuth(accounts))

  // Not counted, so that a refused health check never takes a busy instance out of service.
  app.get('/health', (_req, res) => void res.json({ status: 'up' }))

  app.post('/auth/login', halt({ limiter: passwords, errorFormat }), express.json(), (req, res) => {
    const { password } = (req.body ?? {}) as { password?: unknown }
    if (password === 'correct horse') return void res.json({ welcome: true })
    res.status(401).json({ error: 'wrong_password' })
  })

  app.get('/quotes', halt({ limiter: users, errorFormat }), (req, res) => {
    res.json({ quote: 'Make haste slowly.', left: req.halt?.remaining })
  })

  // Heavy work: a report costs as much as five quotes.
  app.get('/reports', halt({ limiter: users, errorFormat, cost: 5 }), (req, res) => {
    res.json({ report: 'All is well.', left: req.halt?.remaining })
  })

  app.post('/plan', express.json(), (req, res) => {
    const { plan } = (req.body ?? {}) as { plan?: unknown }
    if (accounts.move(req.user, plan)) return void res.json({ plan })
    res.status(400).json({ error: 'no_such_user_or_plan' })
  })

  app.post('/complete', express.json(), complete(model, headerWriter('openai', model)))

  return app
}
