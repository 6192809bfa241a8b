import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { expect, it } from 'vitest'

import { halt, usage } from '../../src/index.ts'
import { listen } from '../adapter.ts'

it('a usage page tells a client what it has left, and charges nothing', async () => {
  const limiter = new RateLimiter<Context>({
    store: new InMemoryStore({ clock: () => 0 }),
    policy: { name: 'api', limit: 3, window: 60 },
    exemptPrivateIps: false,
  })
  const app = new Hono()
    .get('/usage', usage(limiter, { getConnInfo }))
    .use(halt({ limiter, getConnInfo }))
    .get('/', c => c.text('hello'))
  const { url, close } = await listen(app)
  try {
    await fetch(url)
    for (let i = 0; i < 5; i++) {
      const answer = await fetch(`${url}/usage`)
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
      expect(await answer.json()).toMatchObject({ limits: [{ policy: 'api', limit: 3, remaining: 2 }] })
    }
  } finally {
    await close()
  }
})

it.each([undefined, {}, 'limiter'])(
  'a usage page for %o is refused when it is made, not at a request',
  given => {
    expect(() => usage(given as never)).toThrow(/HALT_E_LIMITER/)
  },
)
