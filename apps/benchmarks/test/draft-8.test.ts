// The draft-8 headers of Halt and of express-rate-limit, byte by byte: the same requests to two Express apps.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { halt } from '@halt/express'
import express, { type RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import { expect, it } from 'vitest'

interface Limit {
  readonly name: string
  readonly limit: number
  readonly window: number
}

/** The status and the headers of so many requests, one after the other. */
async function answers(handlers: readonly RequestHandler[], count: number): Promise<object[]> {
  const app = express()
  for (const handler of handlers) app.use(handler)
  app.get('/', (_req, res) => void res.send('hello'))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const found: object[] = []
  for (let i = 0; i < count; i++) {
    const { status, headers } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    const told = ['ratelimit', 'ratelimit-policy', 'retry-after'].map(name => headers.get(name))
    found.push({ status, told })
  }
  server.close()
  server.closeAllConnections()
  return found
}

function theirs(limits: readonly Limit[]): RequestHandler[] {
  return limits.map(({ name, limit, window }) =>
    rateLimit({
      windowMs: window * 1000,
      limit,
      identifier: name,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      keyGenerator: () => 'ip:127.0.0.1',
    }),
  )
}

function ours(limits: readonly Limit[]): RequestHandler[] {
  const policy = limits.map(limit => ({ ...limit, algorithm: 'fixed-window' as const }))
  return [halt({ policy, headers: 'draft-8', exemptPrivateIps: false })]
}

it.each([
  ['one policy, allowed and refused', [{ name: 'api', limit: 2, window: 3600 }], 4],
  [
    'two policies, both in one list',
    [
      { name: 'hour', limit: 5, window: 3600 },
      { name: 'day', limit: 9, window: 86_400 },
    ],
    5,
  ],
])('%s: the same bytes', async (_what, limits, count) => {
  expect(await answers(ours(limits), count)).toEqual(await answers(theirs(limits), count))
})
