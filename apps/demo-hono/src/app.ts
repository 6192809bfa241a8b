import { RateLimiter } from '@halt/core'
import { headerWriter } from '@halt/core/http'
import { type AppOptions, EVERYBODY, LOGIN, MODEL, PENALTY, userLimits } from '@halt/demo-kit'
import { halt } from '@halt/hono'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'

import { complete } from './complete.ts'
import { type DemoEnv, demoAuth } from './demo-auth.ts'
import { explainRoute, operatorPages } from './operator.ts'

/** A small API behind Halt: limits for everybody, for passwords, for users and their companies, for a model. */
export function createApp({ store, storeTimeout, accounts, operator }: AppOptions): Hono<DemoEnv> {
  const common = {
    store,
    storeTimeout,
    telemetry: operator?.telemetry,
    // Local addresses are exempt by default; here every client is local.
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
  // Refusals that name the policy; and who is at the other end of the connection, as Node knows it.
  const look = { errorFormat: 'problem', getConnInfo } as const

  const app = new Hono<DemoEnv>()
  if (operator !== undefined) app.use(operatorPages(operator))
  app.use(halt({ limiter: everybody, ...look }))
  app.use(demoAuth(accounts))

  // Never counted, so that a health check never turns a busy instance into a dead one.
  app.get('/health', c => c.json({ status: 'up' }))

  app.post('/auth/login', halt({ limiter: passwords, ...look }), async c => {
    const { password } = await c.req.json<{ password?: unknown }>().catch(() => ({ password: undefined }))
    if (password === 'correct horse') return c.json({ welcome: true })
    return c.json({ error: 'wrong_password' }, 401)
  })

  app.get('/quotes', halt({ limiter: users, ...look }), c =>
    c.json({ quote: 'Make haste slowly.', left: c.get('halt')?.remaining }),
  )

  // Heavy work: one report takes what five quotes take.
  app.get('/reports', halt({ limiter: users, cost: 5, ...look }), c =>
    c.json({ report: 'All is well.', left: c.get('halt')?.remaining }),
  )

  app.post('/plan', async c => {
    const { plan } = await c.req.json<{ plan?: unknown }>().catch(() => ({ plan: undefined }))
    if (accounts.move(c.get('user'), plan)) return c.json({ plan })
    return c.json({ error: 'no_such_user_or_plan' }, 400)
  })

  app.post('/complete', complete(model, headerWriter('openai', model)))
  if (operator !== undefined) app.get('/debug/explain', explainRoute(operator, users))

  return app
}
