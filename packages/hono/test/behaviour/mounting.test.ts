import type { RatePolicy } from '@halt/core'
import { getConnInfo } from '@hono/node-server/conninfo'
import { type Context, Hono } from 'hono'
import { describe, expect, it } from 'vitest'

import { halt, type HaltOptions } from '../../src/index.ts'
import { listen, statuses } from '../adapter.ts'

const guard = (policy: Partial<RatePolicy> = {}, more: Partial<HaltOptions> = {}) =>
  halt({
    policy: { name: 'api', limit: 2, window: 60, ...policy },
    exemptPrivateIps: false,
    getConnInfo,
    ...more,
  } as HaltOptions)
const ok = (c: Context): Response => c.text('ok')

describe('halt()', () => {
  it('halt() guards the whole app, 404s included', async () => {
    const app = new Hono().use(guard()).get('/a', ok)
    expect(await statuses(app, '/a', '/nowhere', '/a', '/nowhere')).toEqual([200, 404, 429, 429])
  })

  it('halt() guards only the sub-app on which it is mounted', async () => {
    const inner = new Hono().use(guard()).get('/a', ok)
    const app = new Hono().route('/api', inner).get('/free', ok)
    expect(await statuses(app, '/api/a', '/api/a', '/api/a', '/free')).toEqual([200, 200, 429, 200])
  })

  it('halt() guards a path prefix', async () => {
    const app = new Hono().use('/api/*', guard()).get('/api/:id', ok).get('/free', ok)
    expect(await statuses(app, '/api/a', '/api/b', '/api/c', '/free')).toEqual([200, 200, 429, 200])
  })

  it('halt() guards a single route', async () => {
    const app = new Hono().get('/a', guard(), ok).get('/b', ok)
    expect(await statuses(app, '/a', '/a', '/a', '/b')).toEqual([200, 200, 429, 200])
  })

  it('halt() guards an app of another framework that is mounted', async () => {
    const app = new Hono().use(guard()).mount('/other', () => new Response('ok'))
    expect(await statuses(app, '/other/a', '/other/b', '/other/c')).toEqual([200, 200, 429])
  })

  it('halt() charges each request that the app makes itself', async () => {
    const app = new Hono()
    app.use('/item/:id', guard({ limit: 3 }))
    app.get('/item/:id', ok)
    app.get('/batch', async c => {
      const found: number[] = []
      for (let id = 0; id < 4; id++) found.push((await app.request(`/item/${id}`, {}, c.env)).status)
      return c.json(found, found.includes(429) ? 207 : 200)
    })
    expect(await statuses(app, '/batch')).toEqual([207])
  })
})

describe('headers', () => {
  /** The limit and the rest that the answer to a path shows, over a real socket. */
  const shown = async (app: Hono, path: string): Promise<(string | null)[]> => {
    const { url, close } = await listen(app)
    try {
      const { headers } = await fetch(url + path)
      return [headers.get('ratelimit-limit'), headers.get('ratelimit-remaining')]
    } finally {
      await close()
    }
  }
  // Hono passes its bindings to a mounted app as its context of execution, so a mounted Hono app gets them here.
  const mount = (app: Hono, path: string, inner: Hono): Hono =>
    app.mount(path, (request: Request, env: object) => inner.fetch(request, env), {
      optionHandler: c => c.env as object,
    })

  it('an answer has the headers of a guard in a mounted app', async () => {
    const inner = new Hono().use(guard({ name: 'inner', limit: 5 })).get('/a', ok)
    expect(await shown(mount(new Hono(), '/sub', inner), '/sub/a')).toEqual(['5', '4'])
  })

  it.each(['/sub', '/'])(
    'an answer has the headers of the mounted app at %s if the app around it has a guard too',
    async path => {
      const inner = new Hono().use(guard({ name: 'inner', limit: 5 })).get('/a', ok)
      const outer = new Hono().use(guard({ name: 'outer', limit: 100 }))
      expect(await shown(mount(outer, path, inner), `${path}/a`.replace('//', '/'))).toEqual(['5', '4'])
    },
  )

  it('an answer does not have the headers of a request that the app makes itself', async () => {
    const app = new Hono()
    app.use('/item', guard({ name: 'item', limit: 3 })).get('/item', ok)
    app.use('/batch', guard({ name: 'batch', limit: 9 }))
    app.get('/batch', async c =>
      c.text((await app.request('/item', {}, c.env)).headers.get('ratelimit-limit') ?? ''),
    )
    const { url, close } = await listen(app)
    try {
      const answer = await fetch(`${url}/batch`)
      expect([await answer.text(), answer.headers.get('ratelimit-limit')]).toEqual(['3', '9'])
    } finally {
      await close()
    }
  })

  it('a health check of a mounted app is not counted, and has no headers', async () => {
    const inner = new Hono().use(guard({ name: 'inner' })).get('/health', ok)
    expect(await shown(mount(new Hono(), '/sub', inner), '/sub/health')).toEqual([null, null])
  })
})

describe('paths', () => {
  it('paths are compared with exemptions in full, whatever the mount', async () => {
    const inner = new Hono().use(guard({ exemptions: ['/api/open', '/secret'] }))
    inner.get('/open', ok).get('/secret', ok)
    const app = new Hono().route('/api', inner)
    const paths = ['/api/open', '/api/open', '/api/open', '/api/secret', '/api/secret', '/api/secret']
    expect(await statuses(app, ...paths)).toEqual([200, 200, 200, 200, 200, 429])
  })

  it('getPath does not change the path that Halt compares', async () => {
    const app = new Hono({ getPath: () => '/health' }).use(guard()).get('/health', ok)
    expect(await statuses(app, '/a', '/b', '/c')).toEqual([200, 200, 429])
  })

  it('an encoded path is never exempt', async () => {
    const app = new Hono().use(guard({ exemptions: ['/open'] })).get('/open', ok)
    expect(await statuses(app, '/%6fpen', '/%6fpen', '/%6fpen', '/open')).toEqual([200, 200, 429, 200])
  })
})

describe('scope "route"', () => {
  const limited = guard({ scope: 'route', limit: 1 })

  it('a guard before the handler finds the pattern of the handler', async () => {
    const app = new Hono().use(limited).get('/users/:id', ok).get('/posts/:id', ok)
    expect(await statuses(app, '/users/1', '/users/2', '/posts/1', '/posts/2')).toEqual([200, 429, 200, 429])
  })

  it('scope "route" separates routes of the same pattern by their mounts', async () => {
    const inner = new Hono().get('/:id', guard({ scope: 'route', limit: 1 }), ok)
    const app = new Hono().route('/one', inner).route('/two', inner)
    expect(await statuses(app, '/one/1', '/one/2', '/two/1', '/two/2')).toEqual([200, 429, 200, 429])
  })

  it('scope "route" counts all values of a parameter in a mount as one', async () => {
    const posts = new Hono().get('/posts', ok)
    const app = new Hono().use(guard({ scope: 'route', limit: 1 })).route('/users/:id', posts)
    expect(await statuses(app, '/users/1/posts', '/users/2/posts')).toEqual([200, 429])
  })

  it('scope "route" ignores other middleware and later handlers', async () => {
    const app = new Hono()
    app.use(async (...[, next]) => next())
    app.use(guard({ scope: 'route', limit: 1 }))
    app.use('/users/*', async (_c, next) => next())
    app.get('/users/:id', async (_c, next) => next(), ok)
    app.get('*', c => c.text('the page that shows them all'))
    expect(await statuses(app, '/users/1', '/users/2', '/a', '/b')).toEqual([200, 429, 200, 429])
  })

  it('scope "route" finds the pattern in a sub-app with its own error handler', async () => {
    const inner = new Hono().get('/users/:id', ok).all('/proxy/*', ok)
    inner.onError((_error, c) => c.text('broken', 500))
    const app = new Hono().use(guard({ scope: 'route', limit: 1 })).route('/api', inner)
    app.get('*', ok)
    const paths = ['/api/users/1', '/api/users/2', '/api/proxy/1', '/api/proxy/2', '/else']
    expect(await statuses(app, ...paths)).toEqual([200, 429, 200, 429, 200])
  })

  it('scope "route" counts requests that only middleware answers on one counter', async () => {
    const app = new Hono().use(guard({ scope: 'route', limit: 1 })).use('/files/*', async (c, next) => {
      if (c.req.path.endsWith('.txt')) return c.text('ok')
      return next()
    })
    expect(await statuses(app, '/files/a.txt', '/files/b.txt', '/nowhere')).toEqual([200, 429, 429])
  })
})
