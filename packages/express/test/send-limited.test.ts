import type { Store } from '@halt/core/store'
import type { Request, Response } from 'express'
import { describe, expect, it } from 'vitest'

import { halt, sendLimited } from '../src/index.ts'
import { ask, makeLimiter } from './ask.ts'
import { versions } from './versions.ts'

describe.each(versions)('sendLimited on %s', (_name, express) => {
  const own = makeLimiter('own', 1)
  const handler = async (req: Request, res: Response): Promise<void> => {
    const decision = await own.check(req, { cost: 2 })
    if (!decision.allowed) return sendLimited({ req, res }, decision)
    res.end()
  }

  it('sendLimited answers in the default format if no guard has checked the request', async () => {
    const app = express()
    const limiter = makeLimiter('own', 1)
    app.get('/ask', async (req, res) => {
      const decision = await limiter.check(req)
      if (!decision.allowed) return sendLimited({ req, res }, decision)
      res.end()
    })
    const { status, headers, body } = await ask(app, 2)
    expect(status).toBe(429)
    expect(headers.get('retry-after')).toBe('60')
    expect(headers.get('ratelimit-limit')).toBe('1')
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(JSON.parse(body)).toMatchObject({ error: 'rate_limit_exceeded', retry_after: 60 })
  })

  it('sendLimited answers in the format of the guard that decided last', async () => {
    const app = express()
    app.use(halt({ limiter: makeLimiter('all', 9) }))
    const options = { headers: 'x-ratelimit', errorFormat: 'problem', statusCode: 420 } as const
    app.get('/ask', halt({ limiter: makeLimiter('route', 9), ...options }), handler)
    const { status, headers, body } = await ask(app)
    expect(status).toBe(420)
    expect(headers.get('x-ratelimit-limit')).toBe('1')
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(JSON.parse(body)).toMatchObject({ status: 420, 'violated-policies': ['own'] })
  })

  it('sendLimited shows the decision on the request', async () => {
    const app = express()
    const seen: unknown[] = []
    app.get('/ask', halt({ limiter: makeLimiter('route', 9) }), async (req, res) => {
      await handler(req, res)
      seen.push(req.halt)
    })
    await ask(app)
    expect(seen).toMatchObject([{ allowed: false, policy: 'own' }])
  })

  it('sendLimited answers 503 if the store failed', async () => {
    const app = express()
    const store: Store = { evaluate: () => Promise.reject(new Error('away')), forget: () => 0 }
    const limiter = makeLimiter('own', 1, { store, onStoreError: 'closed', warn: () => {} })
    app.get('/ask', async (req, res) => sendLimited({ req, res }, await limiter.check(req)))
    expect(await ask(app)).toMatchObject({ status: 503 })
  })
})
