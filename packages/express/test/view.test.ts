import { RateLimiter } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import type { Request, Response } from 'express'
import { expect, it } from 'vitest'

import { halt } from '../src/index.ts'

/** Makes a response without a server. */
function response(): Response & { readonly headers: Map<string, unknown> } {
  const headers = new Map<string, unknown>()
  return {
    headers,
    statusCode: 200,
    getHeader: (name: string) => headers.get(name),
    setHeader: (name: string, value: unknown) => void headers.set(name, value),
    removeHeader: (name: string) => headers.delete(name),
    end: () => {},
  } as never
}

it.each<[string, object]>([
  ['no socket', { headers: {} }],
  ['a socket that is closed', { headers: {}, socket: {} }],
  ['neither socket nor headers', {}],
])('a guard counts a request that has %s under one shared key, and warns', (_, fields) => {
  const codes: string[] = []
  const limiter = new RateLimiter<Request>({
    store: new InMemoryStore(),
    policy: { name: 'api', limit: 1, window: 60 },
    warn: ({ code }) => void codes.push(code),
  })
  const guard = halt({ limiter })
  const passed: unknown[] = []
  const ask = (): Response => {
    const res = response()
    guard({ method: 'GET', url: '/', ...fields } as Request, res, error => void passed.push(error))
    return res
  }
  expect([ask().statusCode, ask().statusCode]).toEqual([200, 429])
  expect(passed).toEqual([undefined])
  expect(codes).toEqual(['HALT_W_NO_ADDRESS'])
})
