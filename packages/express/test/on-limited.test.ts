import type { ErrorRequestHandler, Response } from 'express'
import { describe, expect, it } from 'vitest'

import { halt, type HaltOptions } from '../src/index.ts'
import { ask, makeLimiter } from './ask.ts'
import { versions } from './versions.ts'

describe.each(versions)('onLimited on %s', (_name, express) => {
  it('onLimited can pass the request on, and the answer is then not a refusal', async () => {
    const app = express()
    app.use(halt({ limiter: makeLimiter('api', 1), onLimited: (decision, { next }) => next() }))
    app.get('/ask', (req, res) => void res.send(String(req.halt?.allowed)))
    const { status, headers, body } = await ask(app, 2)
    expect([status, body, headers.get('ratelimit-remaining')]).toEqual([200, 'false', '0'])
    expect([headers.get('retry-after'), headers.get('cache-control')]).toEqual([null, null])
  })

  it('onLimited leaves the answer to the next handler, although it fails after passing the request on', async () => {
    const app = express()
    const onLimited: NonNullable<HaltOptions['onLimited']> = async (_decision, { next }) => {
      next()
      throw new Error('too late to matter')
    }
    app.use(halt({ limiter: makeLimiter('api', 1, { warn: () => {} }), onLimited }))
    app.get('/ask', (_req, res) => void setTimeout(() => res.send('handled'), 30))
    expect(await ask(app, 2)).toMatchObject({ status: 200, body: 'handled' })
  })

  it('an onLimited that passes the request on keeps its own status and headers', async () => {
    const app = express()
    const onLimited: NonNullable<HaltOptions['onLimited']> = (decision, { res, next }) => {
      res.status(202).set('Cache-Control', 'private')
      next()
    }
    app.use(halt({ limiter: makeLimiter('api', 1), onLimited }))
    app.get('/ask', (req, res) => void res.end())
    const { status, headers } = await ask(app, 2)
    expect([status, headers.get('cache-control')]).toEqual([202, 'private'])
  })

  it('onLimited can pass an error on, and Express answers with the status of the refusal', async () => {
    const app = express()
    const onLimited: NonNullable<HaltOptions['onLimited']> = (_decision, { next }) =>
      next(new Error('slow down'))
    app.use(halt({ limiter: makeLimiter('api', 1), onLimited }))
    app.get('/ask', (req, res) => void res.end())
    app.set('env', 'test')
    const { status } = await ask(app, 2)
    expect(status).toBe(429)
  })

  it('onLimited can pass the decision to the error handlers of the app', async () => {
    const app = express()
    app.use(halt({ limiter: makeLimiter('api', 1), onLimited: (decision, { next }) => next(decision) }))
    app.get('/ask', (req, res) => void res.end())
    const onError: ErrorRequestHandler = (error: { reason: string }, req, res, _next) =>
      void res.status(499).send(error.reason)
    app.use(onError)
    expect(await ask(app, 2)).toMatchObject({ status: 499, body: 'limited' })
  })

  it('onLimited can answer asynchronously with the methods of Express', async () => {
    const app = express()
    const onLimited = async (_decision: unknown, { res }: { res: Response }): Promise<void> => {
      await Promise.resolve()
      res.status(429).json({ mine: true })
    }
    app.use(halt({ limiter: makeLimiter('api', 1), onLimited }))
    app.get('/ask', (req, res) => void res.end())
    const { body, headers } = await ask(app, 2)
    expect([body, headers.get('retry-after')]).toEqual(['{"mine":true}', '60'])
  })
})
