// Tests of applications call a middleware with objects that they made by hand, with as few members as they need.
import { RateLimiter } from '@halt/core'
import type { Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'
import type { NextFunction, Request, Response } from 'express'
import { describe, expect, it } from 'vitest'

import { halt, type HaltOptions, usage } from '../src/index.ts'

const policy = { name: 'api', limit: 1, window: 60 }

/** A store that answers later, as those of servers do. */
function later(): Store {
  const store = new InMemoryStore()
  return {
    evaluate: async groups => store.evaluate(groups),
    forget: async (...args: Parameters<typeof store.forget>) => store.forget(...args),
  } as Store
}

const requests: readonly unknown[] = [
  {},
  { method: 'GET' },
  { url: '/' },
  { headers: {} },
  { method: 7, url: 7 },
  null,
]
const responses: readonly unknown[] = [{}, { setHeader() {} }, { getHeader() {}, headersSent: false }, null]
const settings: readonly (readonly [string, Partial<HaltOptions>])[] = [
  ['alone', {}],
  ['with chargeWhen', { chargeWhen: () => true }],
  ['with onLimited', { onLimited: (_decision, { res }) => res.status(429).end() }],
  ['with an onLimited that fails later', { onLimited: async () => Promise.reject(new Error('no')) }],
  ['with an onLimited that answers nothing', { onLimited: () => {} }],
  ['with delay', { delay: { maxWait: '1ms' } }],
  ['without headers', { headers: false }],
]

describe.each(['at once', 'later'])('with a store that answers %s', when => {
  it.each(settings)(
    'no request or response made by hand makes the middleware throw, %s',
    async (_name, options) => {
      const limiter = new RateLimiter<Request>({
        store: when === 'later' ? later() : new InMemoryStore(),
        policy,
        exemptPrivateIps: false,
        callbackTimeout: '1ms',
        warn: () => {},
      })
      const middleware = halt({ limiter, ...options } as HaltOptions)
      for (const req of requests)
        for (const res of responses) {
          const called: unknown[] = []
          const next: NextFunction = error => void called.push(error)
          expect(() => middleware(req as Request, res as Response, next)).not.toThrow()
          // None of the responses can be answered. An error is passed on as one.
          await expect.poll(() => called, { interval: 1 }).toHaveLength(1)
          for (const error of called) if (error !== undefined) expect(error).toBeInstanceOf(Error)
        }
    },
  )
})

it('a response without getHeader passes its error on', () => {
  const middleware = halt({ store: new InMemoryStore(), policy, exemptPrivateIps: false, warn: () => {} })
  const called: unknown[] = []
  const req = { method: 'GET', url: '/', headers: {}, socket: { remoteAddress: '203.0.113.7' } }
  middleware(req as never, {} as never, error => void called.push(error))
  expect(called).toEqual([expect.any(TypeError)])
})

it('an error of the next handler is not passed on a second time', () => {
  const middleware = halt({ store: new InMemoryStore(), policy, warn: () => {} })
  const called: unknown[] = []
  const res = { getHeader() {}, setHeader() {}, removeHeader() {} }
  const req = { method: 'GET', url: '/', headers: {} }
  expect(() =>
    middleware(req as never, res as never, error => {
      called.push(error)
      throw new Error('of the handler')
    }),
  ).toThrow('of the handler')
  expect(called).toEqual([undefined])
})

it('usage passes the error of a response made by hand on', async () => {
  const limiter = new RateLimiter<Request>({ store: new InMemoryStore(), policy, warn: () => {} })
  const called: unknown[] = []
  usage(limiter)({} as never, {} as never, error => void called.push(error))
  usage(limiter)(null as never, null as never, error => void called.push(error))
  await expect.poll(() => called).toEqual([expect.any(Error), expect.any(Error)])
})
