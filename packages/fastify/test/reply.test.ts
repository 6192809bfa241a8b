import { describe, expect, it } from 'vitest'

import { halt } from '../src/index.ts'
import { listen, makeApp, makeLimiter } from './server.ts'

describe('the default answer', () => {
  it('the default answer is a problem document with errorFormat, in any header dialect', async () => {
    const app = makeApp()
    await app.register(halt, {
      limiter: makeLimiter(1),
      errorFormat: 'problem',
      headers: 'draft-8',
      statusCode: 430,
    })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    const refused = await get('/')
    expect(refused.status).toBe(430)
    expect(refused.headers.get('content-type')).toBe('application/problem+json')
    expect(refused.headers.get('ratelimit')).toBe('"global"; r=0; t=60')
    expect(await refused.json()).toMatchObject({
      title: 'Too Many Requests',
      'violated-policies': ['global'],
    })
  })

  it('the default answer ignores a serializer that another hook has set', async () => {
    const app = makeApp()
    app.addHook('onRequest', async (_request, reply) => void reply.serializer(() => 'mangled'))
    await app.register(halt, { limiter: makeLimiter(1) })
    app.get('/', () => 'ok')
    const get = await listen(app)
    await get('/')
    expect(await (await get('/')).json()).toMatchObject({ error: 'rate_limit_exceeded' })
  })

  it('the default answer is 503 while the store of a closed policy fails', async () => {
    const app = makeApp()
    const store = { evaluate: () => Promise.reject(new Error('away')), forget: () => 0 }
    await app.register(halt, { limiter: makeLimiter(1, { store, onStoreError: 'closed', warn: () => {} }) })
    app.get('/', () => 'ok')
    const get = await listen(app)
    const refused = await get('/')
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).toBe('1')
  })
})
