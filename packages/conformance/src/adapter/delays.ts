import { A_WHILE, BUCKET, limiterOn, serve, TURN, waitOf } from './delay-scene.ts'
import { pause } from './bench.ts'
import { rawRequest } from './raw-client.ts'
import type { TestFunctions } from './test-functions.ts'

/** The error code of HTTP/2 for a cancelled stream. */
const CANCEL = 8

/** The option `delay`: requests that are held until it is their turn. */
export function testDelays({ describe, it, expect, adapter }: TestFunctions): void {
  describe('delay', () => {
    it('a guard holds requests until it is their turn, and starts them in the order in which they came', async bench => {
      const { client, inLine } = await serve(bench, { limiter: limiterOn(bench)(BUCKET), delay: {} })
      expect((await client.get()).status).toBe(200)
      const second = client.post('/login')
      await inLine(1)
      const third = client.get('/items/1')
      await inLine(2)
      await pause(A_WHILE)
      expect(client.calls.length).toBe(1)
      bench.clock.advance(TURN)
      expect((await second).status).toBe(200)
      await pause(A_WHILE)
      expect(client.calls.length).toBe(2)
      bench.clock.advance(TURN)
      expect((await third).status).toBe(200)
      expect(client.calls.map(({ path }) => path)).toEqual(['/hello', '/login', '/items/:id'])
      expect(client.calls.map(({ decision }) => decision?.allowed)).toEqual([true, true, true])
    })

    it('a guard refuses a request that would wait longer than maxWait at once, and charges it nothing', async bench => {
      const limiter = limiterOn(bench)(BUCKET)
      const { client, inLine } = await serve(bench, { limiter, delay: { maxWait: TURN } })
      expect((await client.get()).status).toBe(200)
      const held = client.get()
      await inLine(1)
      const refused = await client.get()
      expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
      expect(await waitOf(limiter)).toBe(80)
      bench.clock.advance(TURN)
      expect((await held).status).toBe(200)
      expect(client.calls.length).toBe(2)
    })

    it('a guard holds at most as many requests as most says, and decides others as without delay', async bench => {
      const { client, inLine } = await serve(bench, { limiter: limiterOn(bench)(BUCKET), delay: { most: 1 } })
      expect((await client.get()).status).toBe(200)
      const held = client.get()
      await inLine(1)
      expect((await client.get()).status).toBe(429)
      bench.clock.advance(TURN)
      expect((await held).status).toBe(200)
      const next = client.get()
      await inLine(1)
      bench.clock.advance(TURN)
      expect((await next).status).toBe(200)
    })

    it('a client that leaves gives its place to the one behind it', async bench => {
      const limiter = limiterOn(bench)(BUCKET)
      const { client, inLine } = await serve(bench, { limiter, delay: { most: 2 } })
      await client.get()
      const connection = client.connect()
      connection.send(rawRequest('POST', '/login'))
      await inLine(1)
      const behind = client.get('/items/1')
      await inLine(2)
      expect(await waitOf(limiter)).toBe(120)
      connection.abort()
      await bench.eventually('the place that came back', async () => (await waitOf(limiter)) === 80)
      await inLine(1)
      const last = client.get('/any')
      await inLine(2)
      bench.clock.advance(TURN)
      expect((await behind).status).toBe(200)
      bench.clock.advance(TURN)
      expect((await last).status).toBe(200)
      expect(client.calls.map(({ path }) => path)).toEqual(['/hello', '/items/:id', '/any'])
    })

    it('a guard sends the headers of the instant at which the request starts', async bench => {
      const slow = { name: 'p', limit: 1, window: '600ms', burst: 1 } as const
      const limiter = limiterOn(bench)([slow, { name: 'big', limit: 60, window: 30 }])
      const { client, inLine } = await serve(bench, { limiter, delay: {}, headers: 'draft-11' })
      await client.get()
      const held = client.get()
      await inLine(1)
      bench.clock.advance('600ms')
      const { status, headers } = await held
      // When the request came, the first bucket would have been full after 1200 ms, and the second one had 57 units left.
      expect([status, headers['ratelimit'], headers['retry-after']]).toEqual([
        200,
        '"p";r=0;t=1, "big";r=59;t=1',
        undefined,
      ])
    })

    if (adapter.http2 === undefined) return
    it('an HTTP/2 stream that the client resets gives its place back', async bench => {
      const limiter = limiterOn(bench)(BUCKET)
      const { client, inLine } = await serve(bench, { limiter, delay: {} }, { http2: true })
      const session = client.connect2()
      const ask = (): Promise<number | undefined> =>
        new Promise(resolve => {
          const stream = session.request({ ':method': 'GET', ':path': '/hello' })
          stream.on('response', headers => resolve(headers[':status']))
          stream.resume()
        })
      expect(await ask()).toBe(200)
      const reset = session.request({ ':method': 'GET', ':path': '/hello' })
      reset.on('error', () => {})
      await inLine(1)
      const held = ask()
      await inLine(2)
      reset.close(CANCEL)
      await bench.eventually('the place that came back', async () => (await waitOf(limiter)) === 80)
      bench.clock.advance(TURN)
      expect(await held).toBe(200)
      expect(client.calls.length).toBe(2)
      session.destroy()
    })
  })
}
