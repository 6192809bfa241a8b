import { halt as limitHandler } from '@halt/fetch'
import { halt } from '@halt/hono'
import { Hono } from 'hono'
import { getConnInfo } from 'hono/cloudflare-workers'

import { type DemoEnv, everybody, exportsInFlight, passwords } from './limits.ts'

export { HaltCounters } from '@halt/store-durable-objects'

const app = new Hono<DemoEnv>()

app.use(async (c, next) => {
  // An app would check a session or a token here.
  const id = c.req.header('x-user')
  if (id !== undefined) c.set('user', { id })
  await next()
})

app.get('/quotes', halt({ limiter: everybody, getConnInfo }), c =>
  c.json({ quote: 'Make haste slowly.', left: c.get('halt')?.remaining }),
)

// Only wrong passwords are charged.
app.post(
  '/auth/login',
  halt({ limiter: passwords, getConnInfo, chargeWhen: response => response.status === 401 }),
  async c => {
    const { password } = await c.req.json<{ password?: unknown }>().catch(() => ({ password: undefined }))
    if (password === 'correct horse') return c.json({ welcome: true })
    return c.json({ error: 'wrong_password' }, 401)
  },
)

// A handler without a framework. The export goes on as long as the client sends its rows.
const limit = limitHandler({ limiter: exportsInFlight, clientIp: 'cloudflare' })
const rows = limit((request: Request) => new Response(request.body))

export default {
  fetch(request, env, context) {
    return new URL(request.url).pathname === '/rows' ? rows(request) : app.fetch(request, env, context)
  },
} satisfies ExportedHandler<Cloudflare.Env>
