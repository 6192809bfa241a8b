import { describe, expect, it } from 'vitest'

import { halt } from '../../src/index.ts'
import { CountingStore, listen, makeApp, makeLimiter, statuses } from '../server.ts'

describe('the global limit', () => {
  it('the plugin accepts limiter options instead of a limiter', async () => {
    const app = makeApp()
    await app.register(halt, { policy: { name: 'api', limit: 1, window: 60 }, exemptPrivateIps: false })
    app.get('/', () => 'ok')
    const get = await listen(app)
    expect(await statuses(2, () => get('/'))).toEqual([200, 429])
  })

  it('the plugin shows the decision as request.halt', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(5) })
    app.get('/', ({ halt: decision }) => ({ policy: decision?.policy, remaining: decision?.remaining }))
    const get = await listen(app)
    expect(await (await get('/')).json()).toEqual({ policy: 'global', remaining: 4 })
  })

  it('the plugin refuses before the body is read', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(1) })
    let parsed = 0
    app.addContentTypeParser('text/x', { parseAs: 'string' }, (_request, body, done) => {
      parsed++
      done(null, body)
    })
    app.post('/', () => 'ok')
    const get = await listen(app)
    const post = () => get('/', { method: 'POST', body: 'x', headers: { 'content-type': 'text/x' } })
    expect(await statuses(2, post)).toEqual([200, 429])
    expect(parsed).toBe(1)
  })

  it.each(['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const)(
    'Halt counts in %s',
    async hook => {
      const app = makeApp()
      await app.register(halt, { limiter: makeLimiter(1), hook })
      const order: string[] = []
      for (const name of ['onRequest', 'preValidation', 'preHandler'] as const) {
        app.addHook(name, async ({ halt: decision }) => void order.push(`${name}:${decision !== undefined}`))
      }
      app.post('/', ({ body }) => body)
      const get = await listen(app)
      const post = () =>
        get('/', { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } })
      expect(await (await post()).json()).toEqual({ a: 1 })
      expect((await post()).status).toBe(429)
      expect(order.slice(0, 3)).toEqual([
        `onRequest:${hook === 'onRequest'}`,
        `preValidation:${hook !== 'preHandler'}`,
        'preHandler:true',
      ])
    },
  )

  it('the hook of the plugin runs in the order of registration among other hooks', async () => {
    const app = makeApp()
    let asked = 0
    await app.register(halt, { limiter: makeLimiter(1) })
    app.addHook('onRequest', async () => void asked++)
    app.get('/', () => 'ok')
    const get = await listen(app)
    expect(await statuses(3, () => get('/'))).toEqual([200, 429, 429])
    expect(asked).toBe(1)
  })

  it('the plugin counts requests that match no route', async () => {
    const app = makeApp()
    await app.register(halt, { limiter: makeLimiter(2) })
    const get = await listen(app)
    expect(await statuses(3, () => get('/nothing'))).toEqual([404, 404, 429])
  })

  it('the plugin counts a handler of several methods on one counter, HEAD included', async () => {
    const app = makeApp()
    const policy = { name: 'api', limit: 3, window: 60, scope: 'route' } as const
    await app.register(halt, { policy, exemptPrivateIps: false })
    const handler = (): string => 'ok'
    app.route({ method: ['POST', 'GET'], url: '/some', handler })
    app.all('/all', handler)
    app.route({ method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'], url: '/list', handler })
    app.put('/some', handler)
    const get = await listen(app)
    const ask = async (path: string, ...methods: string[]): Promise<number[]> => {
      const found: number[] = []
      for (const method of methods) found.push((await get(path, { method })).status)
      return found
    }
    expect(await ask('/some', 'GET', 'HEAD', 'POST', 'HEAD', 'GET', 'POST')).toEqual([
      200, 200, 200, 429, 429, 429,
    ])
    expect(await ask('/some', 'PUT')).toEqual([200])
    expect(await ask('/list', 'GET', 'POST', 'DELETE', 'HEAD', 'GET')).toEqual([200, 200, 200, 429, 429])
    expect(await ask('/all', 'GET', 'DELETE', 'HEAD', 'PATCH', 'GET')).toEqual([200, 200, 200, 429, 429])
  })

  it('the plugin counts a prefix with and without its final slash as one route', async () => {
    const app = makeApp()
    const policy = { name: 'api', limit: 2, window: 60, scope: 'route' } as const
    await app.register(halt, { policy, exemptPrivateIps: false })
    await app.register(async api => void api.get('/', () => 'ok'), { prefix: '/api/:tenant' })
    const get = await listen(app)
    expect([(await get('/api/1')).status, (await get('/api/2/')).status]).toEqual([200, 200])
    expect([(await get('/api/3/')).status, (await get('/api/3')).status]).toEqual([429, 429])
  })

  it('the plugin counts requests without a route on one counter, whatever the method', async () => {
    const app = makeApp()
    const policy = { name: 'api', limit: 2, window: 60, scope: 'route' } as const
    await app.register(halt, { policy, exemptPrivateIps: false })
    const get = await listen(app)
    const found: number[] = []
    for (const method of ['GET', 'POST', 'DELETE', 'PATCH']) found.push((await get('/no', { method })).status)
    expect(found).toEqual([404, 404, 429, 429])
  })

  it('the plugin counts by route pattern, prefix included, and all unknown paths as one', async () => {
    const store = new CountingStore()
    const app = makeApp()
    const policy = { name: 'api', limit: 2, window: 60, scope: 'route' } as const
    await app.register(halt, { store, policy, exemptPrivateIps: false })
    await app.register(async api => void api.get('/users/:id', () => 'ok'), { prefix: '/api' })
    app.get('/other', () => 'ok')
    const get = await listen(app)
    expect(await statuses(1, () => get('/api/users/1'))).toEqual([200])
    expect(await statuses(2, () => get('/api/users/2'))).toEqual([200, 429])
    expect((await get('/other')).status).toBe(200)
    expect([(await get('/a')).status, (await get('/b')).status, (await get('/c')).status]).toEqual([
      404, 404, 429,
    ])
  })

  it('the plugin passes a request on in the same turn with a synchronous store', async () => {
    const app = makeApp()
    let turns = 0
    app.addHook('onRequest', (_request, _reply, done) => {
      queueMicrotask(() => turns++)
      done()
    })
    await app.register(halt, { limiter: makeLimiter(1) })
    app.addHook('onRequest', (_request, _reply, done) => {
      expect(turns).toBe(0)
      done()
    })
    app.get('/', () => 'ok')
    expect((await app.inject('/')).statusCode).toBe(200)
  })

  it('the plugin waits for an asynchronous store', async () => {
    const app = makeApp()
    const store = new CountingStore(true)
    await app.register(halt, { limiter: makeLimiter(1, { store }) })
    app.get('/', () => 'ok')
    const get = await listen(app)
    expect(await statuses(2, () => get('/'))).toEqual([200, 429])
  })

  it('the plugin exposes its headers to scripts if CORS is on', async () => {
    const app = makeApp()
    app.addHook('onRequest', async (_request, reply) => void reply.header('access-control-allow-origin', '*'))
    await app.register(halt, { limiter: makeLimiter(1) })
    app.get('/', () => 'ok')
    const get = await listen(app)
    const exposed = (await get('/')).headers.get('access-control-expose-headers')
    expect(exposed).toContain('RateLimit-Remaining')
    expect((await get('/')).headers.get('access-control-expose-headers')).toContain('Retry-After')
  })
})
