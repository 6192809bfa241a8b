import { type HaltWarning, RateLimiter, type RatePolicy } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import type { Express, Request } from 'express'
import { describe, expect, it } from 'vitest'

import { halt, type HaltMiddleware, type HaltOptions } from '../../src/index.ts'
import { listen } from '../adapter.ts'
import { versions } from '../versions.ts'

describe.each(versions)('%s', (name, express) => {
  const guard = (policy: Partial<RatePolicy>, more: Partial<HaltOptions> = {}) =>
    halt({
      policy: { name: 'api', limit: 2, window: 60, ...policy },
      exemptPrivateIps: false,
      ...more,
    } as HaltOptions)
  const ok = (_req: unknown, res: { end(): unknown }): void => void res.end()

  async function statuses(app: Express, ...paths: string[]): Promise<number[]> {
    const { url, close } = await listen(app)
    try {
      const found: number[] = []
      for (const path of paths) found.push((await fetch(url + path)).status)
      return found
    } finally {
      await close()
    }
  }

  describe('halt()', () => {
    it('halt() guards the whole app, 404s included', async () => {
      const app = express()
      app.use(guard({}))
      app.get('/a', ok)
      expect(await statuses(app, '/a', '/nowhere', '/a', '/nowhere')).toEqual([200, 404, 429, 429])
    })

    it.each([
      ['after all routes', (app: Express, own: HaltMiddleware) => app.get('/a', ok).use(own), 1],
      [
        'after a router, before a handler of errors',
        (app: Express, own: HaltMiddleware) => {
          const router = express.Router()
          router.get('/a', ok)
          app
            .use('/api', router)
            .use(own)
            .use((_error: unknown, _req: unknown, res: { end(): unknown }, _next: unknown) => void res.end())
        },
        1,
      ],
      [
        'between routes',
        (app: Express, own: HaltMiddleware) => app.get('/health', ok).use(own).get('/a', ok),
        0,
      ],
      [
        'before a handler of 404s',
        (app: Express, own: HaltMiddleware) => app.get('/a', ok).use(own).use(ok),
        0,
      ],
      ['before all routes', (app: Express, own: HaltMiddleware) => app.use(own).get('/a', ok), 0],
      ['on a route', (app: Express, own: HaltMiddleware) => app.get('/a', ok).get('/b', own, ok), 0],
      ['alone', (app: Express, own: HaltMiddleware) => app.use(own), 0],
    ])('halt() warns once if only requests without an answer reach it: %s', async (_place, mount, due) => {
      const warnings: HaltWarning[] = []
      const app = express()
      mount(app, guard({ limit: 9 }, { warn: warning => void warnings.push(warning) }))
      await statuses(app, '/a', '/b', '/nowhere', '/nowhere')
      expect(warnings.filter(({ code }) => code === 'HALT_W_MOUNTED_LAST').length).toBe(due)
    })

    it('halt() guards only the router on which it is mounted', async () => {
      const app = express()
      const router = express.Router()
      router.use(guard({}))
      router.get('/a', ok)
      app.use('/api', router)
      app.get('/free', ok)
      expect(await statuses(app, '/api/a', '/api/a', '/api/a', '/free')).toEqual([200, 200, 429, 200])
    })

    it('halt() counts a route of a router that is mounted within itself, and looks for it in a bounded time', async () => {
      const app = express()
      const tree = express.Router()
      tree.get('/leaf', guard({ scope: 'route' }), ok)
      for (const name of 'abcdef') tree.use(`/${name}`, tree)
      app.use('/tree', tree)
      expect(await statuses(app, '/tree/leaf', '/tree/leaf', '/tree/leaf')).toEqual([200, 200, 429])
      expect(await statuses(app, '/tree/b/leaf', '/tree/b/leaf', '/tree/b/leaf')).toEqual([200, 200, 429])
    })

    it('halt() guards a path prefix', async () => {
      const app = express()
      app.use('/api', guard({}), ok)
      app.get('/free', ok)
      expect(await statuses(app, '/api/a', '/api/b', '/api/c', '/free')).toEqual([200, 200, 429, 200])
    })

    it('halt() guards a single route', async () => {
      const app = express()
      app.get('/a', guard({}), ok)
      app.get('/b', ok)
      expect(await statuses(app, '/a', '/a', '/a', '/b')).toEqual([200, 200, 429, 200])
    })

    it('halt() guards an app inside an app', async () => {
      const inner = express()
      inner.get('/a', guard({ scope: 'route' }), ok)
      const app = express()
      app.use('/one', inner)
      expect(await statuses(app, '/one/a', '/ONE/a', '/one/A')).toEqual([200, 200, 429])
    })
  })

  describe('paths under a mounted router', () => {
    it('paths under a mounted router are compared with exemptions in full, mount included', async () => {
      const app = express()
      const router = express.Router()
      router.use(guard({ exemptions: ['/api/open', '/secret'] }))
      router.get('/open', ok)
      router.get('/secret', ok)
      app.use('/api', router)
      const paths = ['/api/open', '/api/open', '/api/open', '/api/secret', '/api/secret', '/api/secret']
      expect(await statuses(app, ...paths)).toEqual([200, 200, 200, 200, 200, 429])
    })

    it('a path under a mounted router is not a health check just because it ends like one', async () => {
      const app = express()
      const router = express.Router()
      router.use(guard({}))
      router.get('/health', ok)
      app.use('/users', router)
      expect(await statuses(app, '/users/health', '/users/health', '/users/health')).toEqual([200, 200, 429])
    })
  })

  describe('scope "route"', () => {
    it('scope "route" treats two spellings of a mount as one', async () => {
      const app = express()
      const router = express.Router()
      router.get('/login', guard({ scope: 'route' }), ok)
      app.use('/api', router)
      expect(await statuses(app, '/api/login', '/API/login', '/Api/login')).toEqual([200, 200, 429])
    })

    it('scope "route" separates routes of the same pattern by their mounts', async () => {
      const app = express()
      const limited = guard({ scope: 'route' })
      for (const mount of ['/one', '/two']) {
        const router = express.Router()
        router.get('/', limited, ok)
        app.use(mount, router)
      }
      expect(await statuses(app, '/one', '/one', '/one', '/two', '/two', '/two')).toEqual([
        200, 200, 429, 200, 200, 429,
      ])
    })

    const mounts = [
      ['/users/:id', id => `/users/${id}`],
      ['/users/:id/of/:team', id => `/users/x/of/${id}`],
      ['/v:version', id => `/v${id}`],
      [/^\/files-[a-z0-9]+/, id => `/files-${id}`],
      [/^\/of\/(\w+)/, id => `/of/${id}`],
      [['/a/:id', '/b/:id'], id => `/${id % 2 === 0 ? 'a' : 'b'}/${id}`],
    ] as const satisfies [unknown, (id: number) => string][]
    it.each(mounts)('all values of a parameter in the mount %s count as one', async (mount, spell) => {
      const app = express()
      const router = express.Router()
      router.get('/posts', guard({ scope: 'route' }), ok)
      app.use(mount as string, router)
      const paths = Array.from({ length: 30 }, (_value, id) => `${spell(id)}/posts`)
      const admitted = (await statuses(app, ...paths)).filter(status => status === 200)
      expect(admitted.length).toBe(2)
    })

    it('scope "route" counts a wildcard in a mount as one route, whatever the path length', async () => {
      const app = express()
      const router = express.Router()
      router.get('/', guard({ scope: 'route' }), ok)
      app.use(name === 'Express 4' ? '/files/*' : '/files/*rest', router)
      expect(await statuses(app, '/files/a', '/files/b/c', '/files/d/e/f')).toEqual([200, 200, 429])
    })

    it('scope "route" counts an optional mount as one route, with and without it', async () => {
      const app = express()
      const router = express.Router()
      router.get('/login', guard({ scope: 'route' }), ok)
      app.use(name === 'Express 4' ? '/:lang(en|de)?' : /^(?:\/(en|de))?(?=\/)/, router)
      expect(await statuses(app, '/login', '/en/login', '/de/login')).toEqual([200, 200, 429])
    })

    const isFour = name === 'Express 4'
    it.each([
      [['/v1', '/v2'], '/v1', '/v2'],
      [/^\/r(ab)?/, '/r', '/rab'],
      [/^(\/x)?/, '/x', '/'],
      [isFour ? '/o/:v?' : '/o{/:v}', '/o', '/o/1'],
      [isFour ? '/:lang(en|de)?/o' : '{/:lang}/o', '/en/o', '/o'],
      [isFour ? '/o/:a?/:b?' : '/o{/of/:a}{/:b}', '/o', '/o/of/b'],
      [isFour ? '/:lang?' : '/{:lang}', '/en', '/'],
      [isFour ? '/f(.:ext)?' : '/f{.:ext}', '/f', '/f.txt'],
      [isFour ? '/s/*' : '/s/*rest', '/s/a', `/s${'/a'.repeat(300)}`],
      ['/u/:id', '/u/%41%20', '/u/7'],
    ])(
      'all processes count the mount %s as one route, whichever path comes first',
      async (mount, ...paths) => {
        for (const [first, second] of [paths, paths.toReversed()] as [string, string][]) {
          const store = new InMemoryStore()
          const process = (): Express => {
            const app = express()
            const router = express.Router()
            const limiter = new RateLimiter<Request>({
              store,
              policy: { name: 'api', limit: 2, window: 60, scope: 'route' },
              exemptPrivateIps: false,
            })
            router.get('/', halt({ limiter }), ok)
            app.use(mount, router)
            return app
          }
          expect(await statuses(process(), first)).toEqual([200])
          expect(await statuses(process(), second, second)).toEqual([200, 429])
        }
      },
    )

    it('scope "route" separates mounts with parameters, and nested routers', async () => {
      const app = express()
      const limited = guard({ scope: 'route' })
      const posts = express.Router()
      posts.get('/', limited, ok)
      for (const mount of ['/users/:id', '/teams/:id']) {
        const router = express.Router()
        router.get('/', limited, ok)
        router.use('/posts/:post', posts)
        app.use(mount, router)
      }
      const paths = ['/users/1', '/users/2', '/users/1/posts/1', '/users/2/posts/2', '/teams/1', '/teams/2']
      const more = ['/teams/1/posts/1', '/teams/2/posts/2']
      expect(await statuses(app, ...paths, ...more)).toEqual(Array.from({ length: 8 }, () => 200))
      expect(await statuses(app, ...paths, ...more)).toEqual(Array.from({ length: 8 }, () => 429))
    })

    it('scope "route" counts all values of a parameter in the mount of an app as one', async () => {
      const inner = express()
      const router = express.Router()
      router.get('/posts', guard({ scope: 'route' }), ok)
      inner.use('/of/:team', router)
      const app = express()
      app.use('/users/:id', inner)
      const paths = Array.from({ length: 9 }, (_value, id) => `/users/${id}/of/${id}/posts`)
      expect((await statuses(app, ...paths)).filter(status => status === 200).length).toBe(2)
    })

    it.each(['', '/users/:id'])(
      'scope "route" separates the places of one router in an app at "%s"',
      async at => {
        const leaf = express.Router()
        leaf.get('/', guard({ scope: 'route' }), ok)
        const inner = express()
        inner.use('/b', leaf)
        inner.use('/c', leaf)
        inner.use('/a', express.Router().use('/b', leaf))
        const app = at === '' ? inner : express().use(at, inner)
        const places = at === '' ? ['/b', '/c', '/a/b'] : ['/users/1/b', '/users/2/c']
        for (const place of places) expect(await statuses(app, place, place, place)).toEqual([200, 200, 429])
      },
    )

    it('scope "route" omits a mount that a function hides', async () => {
      const app = express()
      const router = express.Router()
      router.get('/posts', guard({ scope: 'route' }), ok)
      app.use('/users/:id', (req, res, next) => router(req, res, next))
      expect(await statuses(app, '/users/1/posts', '/users/2/posts', '/users/3/posts')).toEqual([
        200, 200, 429,
      ])
    })

    it('scope "route" counts a handler of app.all, route.all or several methods on one counter', async () => {
      const app = express()
      const limited = guard({ scope: 'route' })
      app.all('/all', limited, ok)
      app.route('/route').all(limited, ok)
      app.route('/two').get(limited, ok).post(limited, ok)
      app
        .route('/other')
        .all(limited)
        .get(ok)
        .post((_req, res) => void res.send('other'))
      const served = await listen(app)
      const ask = async (path: string, ...methods: string[]): Promise<number[]> => {
        const found: number[] = []
        for (const method of methods) found.push((await fetch(served.url + path, { method })).status)
        return found
      }
      try {
        expect(await ask('/all', 'GET', 'POST', 'DELETE', 'HEAD')).toEqual([200, 200, 429, 429])
        expect(await ask('/route', 'PUT', 'PATCH', 'GET')).toEqual([200, 200, 429])
        expect(await ask('/two', 'GET', 'POST', 'GET')).toEqual([200, 200, 429])
        expect(await ask('/other', 'GET', 'HEAD', 'GET', 'POST', 'POST', 'POST')).toEqual([
          200, 200, 429, 200, 200, 429,
        ])
      } finally {
        await served.close()
      }
    })

    it('scope "route" counts an expression or a list of paths as one route', async () => {
      const app = express()
      app.get(/^\/files\/.*/, guard({ scope: 'route', name: 'files' }), ok)
      app.get(['/a', '/b'], guard({ scope: 'route', name: 'list' }), ok)
      expect(await statuses(app, '/files/1', '/files/2', '/files/3')).toEqual([200, 200, 429])
      expect(await statuses(app, '/a', '/b', '/a')).toEqual([200, 200, 429])
    })
  })
})
