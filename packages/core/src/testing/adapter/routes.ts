import { limitOf } from './bench.ts'
import { rawRequest } from './raw-client.ts'
import type { Suite } from './suite.ts'

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

/** Counters that are one for each route. */
export function testRoutes({ describe, it, expect }: Suite): void {
  describe('scope "route"', () => {
    it('counts each route for itself, all values of a parameter as one', async bench => {
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

    for (const at of [undefined, '/login'] as const) {
      it(`counts what reaches a handler as one, however it is spelled, ${at === undefined ? 'before the routes' : 'on a route'}`, async bench => {
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
