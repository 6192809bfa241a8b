import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express from 'express'
import { expect, it, onTestFinished } from 'vitest'

import { halt, usage } from '../../src/index.ts'

it('a usage page tells a client what it has left, and charges nothing', async () => {
  const limiter = new RateLimiter({
    store: new InMemoryStore({ clock: () => 0 }),
    policy: { name: 'api', limit: 3, window: 60 },
    exemptPrivateIps: false,
  })
  const app = express()
  app.get('/usage', usage(limiter))
  app.use(halt({ limiter }))
  app.get('/', (_req, res) => void res.send('hello'))
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await fetch(url)
  for (let i = 0; i < 5; i++) {
    const answer = await fetch(`${url}/usage`)
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await answer.json()).toMatchObject({ limits: [{ policy: 'api', limit: 3, remaining: 2 }] })
  }
})

it.each([undefined, {}, 'limiter'])(
  'a usage page for %o is refused when it is made, not at a request',
  given => {
    expect(() => usage(given as never)).toThrow(/HALT_E_LIMITER/)
  },
)
