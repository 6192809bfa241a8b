import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { expect, it } from 'vitest'

import { drain, halt } from '../../src/index.ts'

it('drain() waits for a running request, records its end, and closes the limiter and its store', async () => {
  let isClosed = false
  const store = Object.assign(new InMemoryStore(), { close: () => void (isClosed = true) })
  const policy = {
    name: 'places',
    algorithm: 'concurrency',
    limit: 1,
    ttl: 60,
    keyStrategy: 'shared',
  } as const
  const limiter = new RateLimiter({ store, policy, exemptPrivateIps: false })
  let answer = (): void => {}
  const passed = new Promise<void>(resolve => (answer = resolve))
  const app = new Hono()
  app.get('/', halt({ limiter }), async c => {
    await passed
    return c.text('late')
  })
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
  await once(server, 'listening')
  const asked = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  while ((await limiter.peek('all')).remaining === 1) await new Promise(setImmediate)
  const drained = drain(server, { limiter, deadline: '20s' })
  answer()
  expect(await (await asked).text()).toBe('late')
  expect(await drained).toEqual({ forced: 0, errors: [] })
  expect(isClosed).toBe(true)
  expect((await limiter.peek('all')).remaining).toBe(1)
})
