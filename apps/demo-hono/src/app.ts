import { type RateLimiterOptions, RateLimiter } from '@halt/core'
import { halt } from '@halt/hono'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'

import { type DemoEnv, demoAuth } from './demo-auth.ts'
import { EVERYBODY, LOGIN, PLANS } from './policies.ts'

/** What the app does not choose itself. */
export interface AppOptions {
  /** Where the counters are. */
  readonly store: RateLimiterOptions['store']
  /** The longest that a request waits for it. Default 100 ms. */
  readonly storeTimeout?: RateLimiterOptions['storeTimeout']
}

/** A small API behind Halt: one limit for everybody, a tight one for passwords, plans for users. */
export function createApp({ store, storeTimeout }: AppOptions): Hono<DemoEnv> {
  // Local addresses are exempt by default; here every client is local.
  const local = { store, storeTimeout, exemptPrivateIps: false } as const
  const everybody = new RateLimiter<Context>({ ...local, policy: EVERYBODY })
  const passwords = new RateLimiter<Context>({ ...local, policy: LOGIN })
  const plans = new RateLimiter<Context<DemoEnv>>({
    ...local,
    policy: c => PLANS[c.get('user')?.plan ?? 'free'],
  })

  const app = new Hono<DemoEnv>()
  app.use(halt({ limiter: everybody, getConnInfo }))
  app.use(demoAuth)

  // Never counted, so that a health check never turns a busy instance into a dead one.
  app.get('/health', c => c.json({ status: 'up' }))

  app.post('/auth/login', halt({ limiter: passwords, getConnInfo }), async c => {
    const { password } = await c.req.json<{ password?: unknown }>().catch(() => ({ password: undefined }))
    if (password === 'correct horse') return c.json({ welcome: true })
    return c.json({ error: 'wrong_password' }, 401)
  })

  app.get('/quotes', halt({ limiter: plans, getConnInfo }), c =>
    c.json({ quote: 'Make haste slowly.', left: c.get('halt')?.remaining }),
  )

  // Heavy work: one report takes what five quotes take.
  app.get('/reports', halt({ limiter: plans, cost: 5, getConnInfo }), c =>
    c.json({ report: 'All is well.', left: c.get('halt')?.remaining }),
  )

  return app
}
