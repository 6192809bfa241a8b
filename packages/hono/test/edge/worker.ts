import { QuotaPeriod } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { Hono } from 'hono'
import { getConnInfo } from 'hono/cloudflare-workers'
import { cors } from 'hono/cors'

import { halt } from '../../src/index.ts'

// A Worker builds everything while its module loads, before any request.
const app: Hono = new Hono()
app.use(cors())
app.use('/ip/*', halt({ policy: { name: 'ip', limit: 2, window: 60, blockDuration: 1 }, getConnInfo }))
// The test moves this clock.
let passed = 0
const store = new InMemoryStore({ clock: () => Date.now() + passed })
const sliding = { name: 'sliding', limit: 2, window: 60, algorithm: 'sliding-window' } as const
app.use('/sliding', halt({ store, policy: sliding, getConnInfo }))
app.post('/advance', async c => {
  passed += Number(await c.req.text())
  return c.text('')
})
app.use(
  '/key',
  halt({
    policy: [
      { name: 'key', limit: 2, window: '1h', keyStrategy: 'api-key' },
      { name: 'month', limit: 9, period: QuotaPeriod.MONTHLY, keyStrategy: 'api-key' },
    ],
    apiKey: c => c.req.header('x-api-key'),
    secret: 'sixteen characters, and more',
    getConnInfo,
  }),
)
app.use(
  '/later',
  halt({
    policy: async () => ({ name: 'later', limit: 1, window: 60 }),
    getConnInfo,
    callbackTimeout: '50ms',
  }),
)
app.use('/busy', halt({ policy: { name: 'busy', algorithm: 'concurrency', limit: 1, ttl: 60 }, getConnInfo }))
// The response lasts as long as the client sends its request.
app.post('/busy', c => new Response(c.req.raw.body))
app.all('*', c => c.json({ key: c.get('halt')?.key ?? null }))

export default app
