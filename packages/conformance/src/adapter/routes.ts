import type { Store } from '@halt/core/store'

import { limitOf } from './bench.ts'
import { rawRequest } from './raw-client.ts'
import type { TestFunctions } from './test-functions.ts'

const METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'PROPFIND',
  'PURGE',
]

const SPELLINGS: readonly string[] = [
  '/LOGIN',
  '/Login/',
  '/login/',
  '//login',
  '/login//',
  '/%6cogin',
  '/%6Cogin',
  '/./login',
  '/a/../login',
  '/login;x=1',
  '/login?x=1',
  '/login#x',
  'http://other.example/login',
  'http://another.example/login?x',
]

/** Counters per route, with `scope: "route"`. */
export function testRoutes({ describe, it, expect }: TestFunctions): void {
  describe('scope "route"', () => {
    it('scope "route" counts each route separately, and all values of a parameter together', async bench => {
      const limiter = bench.limiter(limitOf(2, { scope: 'route' }))
      const client = await bench.serve([
        { options: { limiter }, at: '/hello' },
        { options: { limiter }, at: '/items/:id' },
      ])
      expect(await client.statuses(3)).toEqual([200, 200, 429])
      expect((await client.get('/items/1')).status).toBe(200)
      expect((await client.get('/items/2')).status).toBe(200)
      expect((await client.get('/items/3')).status).toBe(429)
    })

    it('scope "route" counts a handler of all methods once, whichever method a client sends', async bench => {
      const limiter = bench.limiter(limitOf(3, { scope: 'route' }))
      const client = await bench.serve([{ options: { limiter }, at: '/any' }])
      for (const method of METHODS) {
        for (let i = 0; i < 4; i++) {
          const connection = client.connect()
          connection.send(rawRequest(method, '/any', { Connection: 'close' }))
          await connection.rest()
        }
      }
      expect(client.calls.length).toBe(3)
    })

    it('scope "route" counts all values of a parameter in a mount path together, and stores none of them', async bench => {
      const counters = new Set<string>()
      const limiter = bench.limiter(limitOf(3, { scope: 'route' }), { store: watched(bench.store, counters) })
      const client = await bench.serve([{ options: { limiter }, at: '/tenants/:tenant/things' }])
      const values = [
        't0ken',
        '%74oken',
        'a%20b',
        'x'.repeat(4000),
        ...Array.from({ length: 20 }, (_, i) => `t${i}`),
      ]
      for (const value of values) await client.get(`/tenants/${value}/things`)
      expect(client.calls.length).toBe(3)
      expect(counters.size).toBe(1)
      expect([...counters].filter(counter => /t0ken|x{9}/.test(counter))).toEqual([])
    })

    for (const at of [undefined, '/login'] as const) {
      it(`scope "route" counts all spellings of a path together, ${at === undefined ? 'before the routes' : 'on a route'}`, async bench => {
        const limiter = bench.limiter(limitOf(3, { scope: 'route' }))
        const client = await bench.serve([{ options: { limiter }, at }])
        for (const target of ['/login', ...SPELLINGS]) {
          for (let i = 0; i < 4; i++) {
            const connection = client.connect()
            connection.send(rawRequest('POST', target, { Connection: 'close' }, '{}'))
            await connection.rest()
          }
        }
        expect(client.calls.length).toBe(3)
      })
    }
  })
}

/** Wraps a store so that it notes the counters of all demands. */
function watched(store: Store, counters: Set<string>): Store {
  return {
    evaluate(group) {
      for (const { rule } of group.demands) counters.add(rule.counter)
      return store.evaluate(group)
    },
    forget: found => store.forget(found),
  }
}
