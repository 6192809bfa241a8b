import { once } from 'node:events'
import { createServer } from 'node:http'
import { createSecureServer, createServer as createServer2 } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express from 'express'
import { expect, it } from 'vitest'

import { drain, halt } from '../../src/index.ts'

it('drain() waits for a running request, records its end, and closes the limiter and its store', async () => {
  const store = new InMemoryStore()
  let isClosed = false
  Object.assign(store, { close: () => (isClosed = true) })
  const policy = {
    name: 'places',
    algorithm: 'concurrency',
    limit: 1,
    ttl: 60,
    keyStrategy: 'shared',
  } as const
  const limiter = new RateLimiter({ store, policy, exemptPrivateIps: false })
  const app = express()
  let answer = (): void => {}
  app.get('/', halt({ limiter }), (_req, res) => (answer = () => void res.send('late')))
  const server = app.listen(0, '127.0.0.1')
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

it('drain() closes every kind of server of Node', async () => {
  for (const server of [createServer(), createTlsServer(), createServer2(), createSecureServer()])
    expect(await drain(server)).toEqual({ forced: 0, errors: [] })
})
