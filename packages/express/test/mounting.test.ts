import type { RatePolicy } from '@halt/core'
import type { Express } from 'express'
import { describe, expect, it } from 'vitest'

import { halt, type HaltOptions } from '../src/index.ts'
import { listen } from './adapter.ts'
import { versions } from './versions.ts'

describe.each(versions)('%s', (_, express) => {
  const guard = (policy: Partial<RatePolicy>, more: Partial<HaltOptions> = {}) =>
    halt({
      policy: { name: 'p', limit: 2, window: 60, ...policy },
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

  describe('where it is mounted', () => {
    it('guards the whole app, what is not found included', async () => {
      const app = express()
      app.use(guard({}))
      app.get('/a', ok)
      expect(await statuses(app, '/a', '/nowhere', '/a', '/nowhere')).toEqual([200, 404, 429, 429])
    })

    it('guards a router, and nothing outside it', async () => {
      const app = express()
      const router = express.Router()
      router.use(guard({}))
      router.get('/a', ok)
      app.use('/api', router)
      app.get('/free', ok)
      expect(await statuses(app, '/api/a', '/api/a', '/api/a', '/free')).toEqual([200, 200, 429, 200])
    })

    it('guards a path prefix', async () => {
      const app = express()
      app.use('/api', guard({}), ok)
      app.get('/free', ok)
      expect(await statuses(app, '/api/a', '/api/b', '/api/c', '/free')).toEqual([200, 200, 429, 200])
    })

    it('guards a single route', async () => {
      const app = express()
      app.get('/a', guard({}), ok)
      app.get('/b', ok)
      expect(await statuses(app, '/a', '/a', '/a', '/b')).toEqual([200, 200, 429, 200])
    })

    it('guards an app inside an app', async () => {
      const inner = express()
      inner.get('/a', guard({ scope: 'route' }), ok)
      const app = express()
      app.use('/one', inner)
      expect(await statuses(app, '/one/a', '/ONE/a', '/one/A')).toEqual([200, 200, 429])
    })
  })

  describe('paths under a mounted router', () => {
    it('are the original ones in exemptions', async () => {
      const app = express()
      const router = express.Router()
      router.use(guard({ exemptions: ['/api/open', '/secret'] }))
      router.get('/open', ok)
      router.get('/secret', ok)
      app.use('/api', router)
      const paths = ['/api/open', '/api/open', '/api/open', '/api/secret', '/api/secret', '/api/secret']
      expect(await statuses(app, ...paths)).toEqual([200, 200, 200, 200, 200, 429])
    })

    it('are no health checks because they end like one', async () => {
      const app = express()
      const router = express.Router()
      router.use(guard({}))
      router.get('/health', ok)
      app.use('/users', router)
      expect(await statuses(app, '/users/health', '/users/health', '/users/health')).toEqual([200, 200, 429])
    })
  })

  describe('scope "route"', () => {
    it('takes one spelling of a mount for another', async () => {
      const app = express()
      const router = express.Router()
      router.get('/login', guard({ scope: 'route' }), ok)
      app.use('/api', router)
      expect(await statuses(app, '/api/login', '/API/login', '/Api/login')).toEqual([200, 200, 429])
    })

    it('tells routes of the same pattern apart by their mounts', async () => {
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

    it('gives no counter to each value of a parameter in a mount, beyond the first few', async () => {
      const app = express()
      const router = express.Router()
      router.get('/posts', guard({ scope: 'route' }), ok)
      app.use('/users/:id', router)
      const paths = Array.from({ length: 100 }, (_value, id) => `/users/${id}/posts`)
      const admitted = (await statuses(app, ...paths)).filter(status => status === 200)
      expect(admitted.length).toBe(8 + 2)
    })

    it('counts an expression or a list of paths as one route', async () => {
      const app = express()
      app.get(/^\/files\/.*/, guard({ scope: 'route', name: 'files' }), ok)
      app.get(['/a', '/b'], guard({ scope: 'route', name: 'list' }), ok)
      expect(await statuses(app, '/files/1', '/files/2', '/files/3')).toEqual([200, 200, 429])
      expect(await statuses(app, '/a', '/b', '/a')).toEqual([200, 200, 429])
    })
  })
})
