import type { Store } from '@halt/core/store'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { halt, sendLimited, viewOf } from '../src/index.ts'
import { ask, makeLimiter } from './ask.ts'

describe('sendLimited', () => {
  const own = makeLimiter('own', 1)
  const handler = async (c: Context): Promise<Response> => {
    const decision = await own.check(viewOf(c, getConnInfo), { cost: 2 })
    return decision.allowed ? c.text('ok') : sendLimited(c, decision)
  }

  it('sendLimited answers in the default format if no guard has checked the request', async () => {
    const { status, headers, body } = await ask(new Hono().get('/ask', handler))
    expect([status, headers.get('ratelimit-limit'), headers.get('cache-control')]).toEqual([
      429,
      '1',
      'no-store',
    ])
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(JSON.parse(body)).toMatchObject({ error: 'rate_limit_exceeded', retry_after: null })
  })

  it('sendLimited answers in the format of the guard that decided last', async () => {
    const app = new Hono().use(halt({ limiter: makeLimiter('all', 9), getConnInfo }))
    const options = { headers: 'x-ratelimit', errorFormat: 'problem', statusCode: 420, getConnInfo } as const
    app.get('/ask', halt({ limiter: makeLimiter('route', 9), ...options }), handler)
    const { status, headers, body } = await ask(app)
    expect([status, headers.get('x-ratelimit-limit')]).toEqual([420, '1'])
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(JSON.parse(body)).toMatchObject({ status: 420, 'violated-policies': ['own'] })
  })

  it('sendLimited shows the decision to middleware that runs afterwards', async () => {
    const seen: unknown[] = []
    const app = new Hono().use(async (c, next) => {
      await next()
      seen.push(c.get('halt'))
    })
    app.get('/ask', handler)
    await ask(app)
    expect(seen).toMatchObject([{ allowed: false, policy: 'own', reason: 'cost-exceeds-limit' }])
  })

  it('sendLimited answers 503 if the store failed', async () => {
    const store: Store = { evaluate: () => Promise.reject(new Error('away')), forget: () => 0 }
    const limiter = makeLimiter('own', 1, { store, onStoreError: 'closed' })
    const app = new Hono().get('/ask', async c => sendLimited(c, await limiter.check(viewOf(c, getConnInfo))))
    expect(await ask(app)).toMatchObject({ status: 503 })
  })
})
