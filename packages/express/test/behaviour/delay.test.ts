// A request that is held while the application answers it by itself.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import express from 'express'
import { expect, it, onTestFinished } from 'vitest'

import { halt } from '../../src/index.ts'

it('an answer of the application ends the wait of a held request, and gives its place back', async () => {
  const limiter = new RateLimiter({
    store: new InMemoryStore({ clock: () => 0 }),
    policy: { name: 'p', limit: 1, window: 60 },
    exemptPrivateIps: false,
  })
  const app = express()
  const calls: string[] = []
  app.use((req, res, next) => {
    if (req.path === '/late') setTimeout(() => res.status(503).send('too late'), 50)
    next()
  })
  app.use(halt({ limiter, delay: { maxWait: '1h' } }))
  app.use((req, res) => {
    calls.push(req.path)
    res.send('hello')
  })
  const server = app.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const left = async (): Promise<number> => (await limiter.peek({ ip: '127.0.0.1' })).retryAfter

  expect((await fetch(`${url}/first`)).status).toBe(200)
  expect(await left()).toBe(60)
  const answer = await fetch(`${url}/late`)
  expect([answer.status, await answer.text()]).toEqual([503, 'too late'])
  await expect.poll(left).toBe(60)
  expect(calls).toEqual(['/first'])
})
