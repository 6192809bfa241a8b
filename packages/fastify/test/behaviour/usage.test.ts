import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import fastify, { type FastifyRequest } from 'fastify'
import { expect, it, onTestFinished } from 'vitest'

import { halt, usage } from '../../src/index.ts'

it('a usage page tells a client what it has left, and charges nothing', async () => {
  const limiter = new RateLimiter<FastifyRequest>({
    store: new InMemoryStore({ clock: () => 0 }),
    policy: { name: 'api', limit: 3, window: 60 },
    exemptPrivateIps: false,
  })
  const app = fastify()
  onTestFinished(() => app.close())
  await app.register(halt, { limiter })
  app.get('/usage', { config: { halt: false } }, usage(limiter))
  app.get('/', async () => 'hello')
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
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
