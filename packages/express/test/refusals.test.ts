import { RateLimiter, type RateLimiterOptions } from '@halt/core'
import type { Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'
import type { ErrorRequestHandler, Express, Request, Response } from 'express'
import { describe, expect, it } from 'vitest'

import { halt, type HaltOptions, sendLimited } from '../src/index.ts'
import { listen } from './adapter.ts'
import { versions } from './versions.ts'

function limiterOf(name: string, limit: number, more: Partial<RateLimiterOptions<Request>> = {}) {
  const policy = { name, limit, window: 60, algorithm: 'fixed-window' } as const
  return new RateLimiter<Request>({ store: new InMemoryStore(), policy, exemptPrivateIps: false, ...more })
}

async function ask(app: Express, times = 1): Promise<{ status: number; headers: Headers; body: string }> {
  const { url, close } = await listen(app)
  try {
    for (let i = 1; i < times; i++) await (await fetch(`${url}/ask`)).text()
    const response = await fetch(`${url}/ask`)
    return { status: response.status, headers: response.headers, body: await response.text() }
  } finally {
    await close()
  }
}

describe.each(versions)('%s', (_, express) => {
  describe('sendLimited', () => {
    const own = limiterOf('own', 1)
    const handler = async (req: Request, res: Response): Promise<void> => {
      const decision = await own.check(req, { cost: 2 })
      if (!decision.allowed) return sendLimited({ req, res }, decision)
      res.end()
    }

    it('answers in the default format where no guard was', async () => {
      const app = express()
      const limiter = limiterOf('own', 1)
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

    it('answers as the guard that decided last would', async () => {
      const app = express()
      app.use(halt({ limiter: limiterOf('all', 9) }))
      const options = { headers: 'x-ratelimit', errorFormat: 'problem', statusCode: 420 } as const
      app.get('/ask', halt({ limiter: limiterOf('route', 9), ...options }), handler)
      const { status, headers, body } = await ask(app)
      expect(status).toBe(420)
      expect(headers.get('x-ratelimit-limit')).toBe('1')
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/)
      expect(JSON.parse(body)).toMatchObject({ status: 420, 'violated-policies': ['own'] })
    })

    it('shows the decision on the request', async () => {
      const app = express()
      const seen: unknown[] = []
      app.get('/ask', halt({ limiter: limiterOf('route', 9) }), async (req, res) => {
        await handler(req, res)
        seen.push(req.halt)
      })
      await ask(app)
      expect(seen).toMatchObject([{ allowed: false, policy: 'own' }])
    })

    it('answers 503 for what is our own fault', async () => {
      const app = express()
      const store: Store = { evaluate: () => Promise.reject(new Error('away')), forget: () => 0 }
      const limiter = limiterOf('own', 1, { store, onStoreError: 'closed', warn: () => {} })
      app.get('/ask', async (req, res) => sendLimited({ req, res }, await limiter.check(req)))
      expect(await ask(app)).toMatchObject({ status: 503 })
    })
  })

  describe('onLimited', () => {
    it('may let the request go on: its answer is no refusal', async () => {
      const app = express()
      app.use(halt({ limiter: limiterOf('p', 1), onLimited: (decision, { next }) => next() }))
      app.get('/ask', (req, res) => void res.send(String(req.halt?.allowed)))
      const { status, headers, body } = await ask(app, 2)
      expect([status, body, headers.get('ratelimit-remaining')]).toEqual([200, 'false', '0'])
      expect([headers.get('retry-after'), headers.get('cache-control')]).toEqual([null, null])
    })

    it('leaves the answer to whom it has passed the request on, though it fails afterwards', async () => {
      const app = express()
      const onLimited: NonNullable<HaltOptions['onLimited']> = async (_decision, { next }) => {
        next()
        throw new Error('too late to matter')
      }
      app.use(halt({ limiter: limiterOf('p', 1, { warn: () => {} }), onLimited }))
      app.get('/ask', (_req, res) => void setTimeout(() => res.send('handled'), 30))
      expect(await ask(app, 2)).toMatchObject({ status: 200, body: 'handled' })
    })

    it('leaves what the app says of its answer, when the request goes on', async () => {
      const app = express()
      const onLimited: NonNullable<HaltOptions['onLimited']> = (decision, { res, next }) => {
        res.status(202).set('Cache-Control', 'private')
        next()
      }
      app.use(halt({ limiter: limiterOf('p', 1), onLimited }))
      app.get('/ask', (req, res) => void res.end())
      const { status, headers } = await ask(app, 2)
      expect([status, headers.get('cache-control')]).toEqual([202, 'private'])
    })

    it('may hand an error on, which Express answers as a refusal', async () => {
      const app = express()
      const onLimited: NonNullable<HaltOptions['onLimited']> = (_decision, { next }) =>
        next(new Error('slow down'))
      app.use(halt({ limiter: limiterOf('p', 1), onLimited }))
      app.get('/ask', (req, res) => void res.end())
      app.set('env', 'test')
      const { status } = await ask(app, 2)
      expect(status).toBe(429)
    })

    it('may give the request to the error handlers of the app', async () => {
      const app = express()
      app.use(halt({ limiter: limiterOf('p', 1), onLimited: (decision, { next }) => next(decision) }))
      app.get('/ask', (req, res) => void res.end())
      const onError: ErrorRequestHandler = (error: { reason: string }, req, res, _next) =>
        void res.status(499).send(error.reason)
      app.use(onError)
      expect(await ask(app, 2)).toMatchObject({ status: 499, body: 'limited' })
    })

    it('may answer with what Express offers, and later than at once', async () => {
      const app = express()
      const onLimited = async (_decision: unknown, { res }: { res: Response }): Promise<void> => {
        await Promise.resolve()
        res.status(429).json({ mine: true })
      }
      app.use(halt({ limiter: limiterOf('p', 1), onLimited }))
      app.get('/ask', (req, res) => void res.end())
      const { body, headers } = await ask(app, 2)
      expect([body, headers.get('retry-after')]).toEqual(['{"mine":true}', '60'])
    })
  })
})
