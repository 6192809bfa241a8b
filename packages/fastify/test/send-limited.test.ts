import type { RateLimiter } from '@halt/core'
import type { FastifyRequest } from 'fastify'
import { describe, expect, it } from 'vitest'

import { halt, sendLimited } from '../src/index.ts'
import { listen, makeApp, makeLimiter } from './server.ts'

describe('sendLimited', () => {
  const decide = (limiter: RateLimiter<FastifyRequest>) => async (request: FastifyRequest) =>
    limiter.check(request, { cost: 10 })

  it('sendLimited answers in the format of the guard of the request', async () => {
    const app = makeApp()
    const check = decide(makeLimiter(5))
    await app.register(halt, { limiter: makeLimiter(9), errorFormat: 'problem', statusCode: 430 })
    app.get('/', async (request, reply) => {
      const decision = await check(request)
      return decision.allowed ? 'ok' : sendLimited({ request, reply }, decision)
    })
    const get = await listen(app)
    const refused = await get('/')
    expect(refused.status).toBe(430)
    expect(refused.headers.get('content-type')).toContain('problem+json')
    expect(refused.headers.get('ratelimit-limit')).toBe('5')
    expect(refused.headers.get('retry-after')).toBeNull()
  })

  it('sendLimited works without the plugin', async () => {
    const app = makeApp()
    const check = decide(makeLimiter(5))
    app.get('/', async (request, reply) => sendLimited({ request, reply }, await check(request)))
    const get = await listen(app)
    const refused = await get('/')
    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ error: 'rate_limit_exceeded', retry_after: null })
  })
})
