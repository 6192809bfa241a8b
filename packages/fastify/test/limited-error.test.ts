import { describe, expect, it } from 'vitest'

import { halt, type LimitedError } from '../src/index.ts'
import { listen, makeApp, makeLimiter } from './server.ts'

describe('throwOnLimited', () => {
  it('throwOnLimited passes the refusal to setErrorHandler with statusCode, code and decision', async () => {
    const app = makeApp()
    let seen: LimitedError | undefined
    app.setErrorHandler<LimitedError>((error, _request, reply) => {
      seen = error
      return reply.code(error.statusCode).send({ slow: error.decision.retryAfter })
    })
    await app.register(halt, { limiter: makeLimiter(1), throwOnLimited: true })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect(refused.status).toBe(429)
    expect(await refused.json()).toEqual({ slow: 60 })
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(refused.headers.get('ratelimit-limit')).toBe('1')
    expect(seen).toMatchObject({ statusCode: 429, code: 'HALT_E_LIMITED', name: 'LimitedError' })
    expect(seen?.body).toMatchObject({ error: 'rate_limit_exceeded', retry_after: 60 })
  })

  it('throwOnLimited lets Fastify answer if there is no error handler', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(1), throwOnLimited: true })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect(refused.status).toBe(429)
    expect(await refused.json()).toEqual({
      statusCode: 429,
      code: 'HALT_E_LIMITED',
      error: 'Too Many Requests',
      message: 'Too many requests. Please try again later.',
    })
  })

  it('throwOnLimited can be set for one route', async () => {
    const app = makeApp()
    app.setErrorHandler((_error, _request, reply) => reply.code(418).send())
    await app.register(halt, { limiter: makeLimiter(1) })
    app.get('/', () => 'ok')
    app.get('/thrown', { config: { halt: { throwOnLimited: true } } }, () => 'ok')
    const get = await listen(app)
    await get('/')
    expect((await get('/')).status).toBe(429)
    expect((await get('/thrown')).status).toBe(418)
  })
})
