import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { expect, it } from 'vitest'

import { halt, usage } from '../src/index.ts'

it('a usage page tells a client what it has left, and charges nothing', async () => {
  const clientIp = (request: Request): string => request.headers.get('x-test-ip') ?? ''
  const limiter = new RateLimiter<Request>({
    store: new InMemoryStore({ clock: () => 0 }),
    policy: { name: 'api', limit: 3, window: 60 },
  })
  const of = (ip: string): Request => new Request('https://shop.example/', { headers: { 'x-test-ip': ip } })
  const hello = halt({ limiter, clientIp })(() => new Response('hello'))
  const page = usage(limiter, { clientIp })
  await hello(of('203.0.113.7'))
  for (let i = 0; i < 5; i++) {
    const answer = await page(of('203.0.113.7'))
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await answer.json()).toMatchObject({ limits: [{ policy: 'api', limit: 3, remaining: 2 }] })
  }
  expect(await (await page(of('203.0.113.8'))).json()).toMatchObject({ limits: [{ remaining: 3 }] })
})

it.each([undefined, {}, 'limiter'])(
  'a usage page for %o is refused when it is made, not at a request',
  given => {
    expect(() => usage(given as never)).toThrow(/HALT_E_LIMITER/)
  },
)
