import { RateLimiter } from '@halt/core'
import { headerWriter } from '@halt/core/http'
import { type AppOptions, EVERYBODY, LOGIN, MODEL, OPERATOR, PENALTY, userLimits } from '@halt/demo-kit'
import { halt } from '@halt/hono'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'

import { complete } from './complete.ts'
import { type DemoEnv, demoAuth } from './demo-auth.ts'
import { explainRoute, metricsPage } from './operator.ts'

/** A small API with limits for all clients, for passwords, for users and their companies, and for a model. */
export function createApp({ store, storeTimeout, accounts, operator }: AppOptions): Hono<DemoEnv> {
  const common = {
    store,
    storeTimeout,
    telemetry: operator?.telemetry,
    control: operator?.control,
    // Private addresses are exempt by default, and here every client is local.
    exemptPrivateIps: false,
  } as const
  const everybody = new RateLimiter<Context>({ ...common, policy: EVERYBODY })
  const passwords = new RateLimiter<Context>({ ...common, policy: LOGIN })
  const limits = userLimits((c: Context<DemoEnv>) => c.get('user')?.company)
  const users = new RateLimiter<Context<DemoEnv>>({
    ...common,
    policy: c => limits[c.get('user')?.plan ?? 'free'],
    penalty: PENALTY,
  })
  const model = new RateLimiter<Context<DemoEnv>>({ ...common, policy: MODEL })
  // The refusal names the policy. `getConnInfo` gives the peer of the connection.
  const look = { errorFormat: 'problem', getConnInfo } as const

  const app = new Hono<DemoEnv>()
  if (operator !== undefined) {
    // Before every limit, so that none of them keeps an operator out.
    const ofUsers = { limiter: users, plans: limits }
    const page = operator.page([everybody, passwords, ofUsers, model])
    app.use(metricsPage(operator))
    app.all(`${OPERATOR}/*`, c => page(c.req.raw, c.env.incoming))
    app.get('/debug/explain', demoAuth(accounts), explainRoute(operator, users))
  }
  app.use(halt({ limiter: everybody, ...look }))
  app.use(demoAuth(accounts))

  // Not counted, so that a refused health check never takes a busy instance out of service.
  app.get('/health', c => c.json({ status: 'up' }))

  app.post('/auth/login', halt({ limiter: passwords, ...look }), async c => {
    const { password } = await c.req.json<{ password?: unknown }>().catch(() => ({ password: undefined }))
    if (password === 'correct horse') return c.json({ welcome: true })
    return c.json({ error: 'wrong_password' }, 401)
  })

  app.get('/quotes', halt({ limiter: users, ...look }), c =>
    c.json({ quote: 'Make haste slowly.', left: c.get('halt')?.remaining }),
  )

  // Heavy work: a report costs as much as five quotes.
  app.get('/reports', halt({ limiter: users, cost: 5, ...look }), c =>
    c.json({ report: 'All is well.', left: c.get('halt')?.remaining }),
  )

  app.post('/plan', async c => {
    const { plan } = await c.req.json<{ plan?: unknown }>().catch(() => ({ plan: undefined }))
    if (accounts.move(c.get('user'), plan)) return c.json({ plan })
    return c.json({ error: 'no_such_user_or_plan' }, 400)
  })

  app.post('/complete', complete(model, headerWriter('openai', model)))

  return app
}
