import type { ConcurrencyPolicy, RateLimiter, RatePolicy } from '@halt/core'
import type { Store } from '@halt/core/store'

import { type Bench, eventually, gate, limitOf, pause } from './bench.ts'
import type { Client } from './client.ts'
import type { SuiteOptions } from './contract.ts'
import { rawRequest } from './raw-client.ts'
import type { TestFunctions } from './test-functions.ts'

/** The error code of HTTP/2 for a cancelled stream. */
const CANCEL = 8
/** A bucket of one unit that comes back after 40 ms of the test's clock. */
const BUCKET: RatePolicy = { name: 'p', limit: 25, window: 1, burst: 1 }
const TURN = '40ms'
/** Longer than a request is held, so that one that starts too early would be seen. Milliseconds. */
const A_WHILE = 100

// The clock of the store decides when a request starts, and the test moves it. So a busy machine changes no result.

/** Makes the limiters of a test on its store, which tells them the clock of the test. */
function limiterOn(bench: Bench): Bench['limiter'] {
  const { store, clock } = bench
  const telling: Store = {
    evaluate: group => store.evaluate(group),
    forget: counters => store.forget(counters),
    clock: clock.now,
  }
  return (policy, options) => bench.limiter(policy, { store: telling, ...options })
}

/** A server behind one guard that holds requests, and the number of requests that it has seen. */
interface Scene {
  readonly client: Client
  /** Waits until the guard has seen that many requests. */
  seen(count: number): Promise<void>
}

async function serve(
  bench: Bench,
  options: SuiteOptions,
  setup: Parameters<Bench['serve']>[1] = {},
): Promise<Scene> {
  let entered = 0
  const skip = (): boolean => {
    entered++
    return false
  }
  const client = await bench.serve([{ ...options, skip }], setup)
  return {
    client,
    async seen(count) {
      await eventually(`request ${count} at the guard`, () => entered === count)
      // A store that answers later has answered by then.
      await pause(20)
    },
  }
}

/** The milliseconds after which the suite's client could start. */
async function waitOf(limiter: RateLimiter): Promise<number> {
  return (await limiter.peek({ ip: '127.0.0.1' })).retryAfterMs
}

/** The option `delay`: requests that are held until it is their turn. */
export function testDelays({ describe, it, expect, adapter }: TestFunctions): void {
  describe('delay', () => {
    it('holds requests until it is their turn, and starts them in the order in which they came', async bench => {
      const { client, seen } = await serve(bench, { limiter: limiterOn(bench)(BUCKET), delay: {} })
      expect((await client.get()).status).toBe(200)
      const second = client.post('/login')
      await seen(2)
      const third = client.get('/items/1')
      await seen(3)
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

    it('refuses at once a request that would wait longer than maxWait, and charges it nothing', async bench => {
      const limiter = limiterOn(bench)(BUCKET)
      const { client, seen } = await serve(bench, { limiter, delay: { maxWait: TURN } })
      expect((await client.get()).status).toBe(200)
      const held = client.get()
      await seen(2)
      const refused = await client.get()
      expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
      expect(await waitOf(limiter)).toBe(80)
      bench.clock.advance(TURN)
      expect((await held).status).toBe(200)
      expect(client.calls.length).toBe(2)
    })

    it('holds at most as many requests as most says, and decides others as without delay', async bench => {
      const { client, seen } = await serve(bench, { limiter: limiterOn(bench)(BUCKET), delay: { most: 1 } })
      expect((await client.get()).status).toBe(200)
      const held = client.get()
      await seen(2)
      expect((await client.get()).status).toBe(429)
      bench.clock.advance(TURN)
      expect((await held).status).toBe(200)
      const next = client.get()
      await seen(4)
      bench.clock.advance(TURN)
      expect((await next).status).toBe(200)
    })

    it('gives the place of a client that leaves to the one behind it', async bench => {
      const limiter = limiterOn(bench)(BUCKET)
      const { client, seen } = await serve(bench, { limiter, delay: { most: 2 } })
      await client.get()
      const connection = client.connect()
      connection.send(rawRequest('POST', '/login'))
      await seen(2)
      const behind = client.get('/items/1')
      await seen(3)
      expect(await waitOf(limiter)).toBe(120)
      connection.abort()
      await eventually('the place that came back', async () => (await waitOf(limiter)) === 80)
      const last = client.get('/any')
      await seen(4)
      bench.clock.advance(TURN)
      expect((await behind).status).toBe(200)
      bench.clock.advance(TURN)
      expect((await last).status).toBe(200)
      expect(client.calls.map(({ path }) => path)).toEqual(['/hello', '/items/:id', '/any'])
    })

    it('sends the headers of the instant at which the request starts', async bench => {
      const slow = { name: 'p', limit: 1, window: '600ms', burst: 1 } as const
      const limiter = limiterOn(bench)([slow, { name: 'big', limit: 60, window: 30 }])
      const { client, seen } = await serve(bench, { limiter, delay: {}, headers: 'draft-11' })
      await client.get()
      const held = client.get()
      await seen(2)
      bench.clock.advance('600ms')
      const { status, headers } = await held
      // When the request came, the first bucket would have been full after 1200 ms, and the second one had 57 units left.
      expect([status, headers['ratelimit'], headers['retry-after']]).toEqual([
        200,
        '"p";r=0;t=1, "big";r=59;t=1',
        undefined,
      ])
    })

    it('holds requests until the next window, and shows what is left of that', async bench => {
      const policy = limitOf(2, { window: '100ms' })
      const { client, seen } = await serve(bench, { limiter: limiterOn(bench)(policy), delay: {} })
      expect(await client.statuses(2)).toEqual([200, 200])
      const third = client.get('/any')
      await seen(3)
      const fourth = client.get('/items/1')
      await seen(4)
      await pause(A_WHILE)
      expect(client.calls.length).toBe(2)
      bench.clock.advance('100ms')
      expect((await third).headers['ratelimit-remaining']).toBe('1')
      expect((await fourth).headers['ratelimit-remaining']).toBe('0')
      expect(client.calls.slice(2).map(({ path }) => path)).toEqual(['/any', '/items/:id'])
    })

    const busy: ConcurrencyPolicy = { name: 'p', algorithm: 'concurrency', limit: 1, ttl: 600 }

    it('holds requests until one in flight has ended, and not those of clients that left', async bench => {
      const limiter = limiterOn(bench)(busy)
      const { passed, open } = gate()
      const { client, seen } = await serve(
        bench,
        { limiter, delay: {} },
        {
          async handle({ path }) {
            if (path === '/hello') await passed
            return { status: 200, body: 'ok' }
          },
        },
      )
      const first = client.get()
      await seen(1)
      const connection = client.connect()
      connection.send(rawRequest('POST', '/login'))
      await seen(2)
      const last = client.get('/items/1')
      await seen(3)
      connection.abort()
      await pause(A_WHILE)
      expect(client.calls.length).toBe(1)
      open()
      expect((await first).status).toBe(200)
      expect((await last).status).toBe(200)
      expect(client.calls.map(({ path }) => path)).toEqual(['/hello', '/items/:id'])
      await eventually('the release', async () => (await bench.left(limiter)) === 1)
    })

    it('holds a request for its whole cost, and refunds it as chargeWhen says', async bench => {
      const policy = { ...BUCKET, burst: 2 }
      const limiter = limiterOn(bench)(policy)
      const chargeWhen = (response: unknown): boolean => adapter.status(response as never) !== 200
      const options = { limiter, delay: {}, cost: 2, chargeWhen }
      const status = [500, 200]
      const { client, seen } = await serve(bench, options, {
        handle: () => ({ status: status.shift() ?? 200, body: 'ok' }),
      })
      expect((await client.get()).status).toBe(500)
      const held = client.get()
      await seen(2)
      bench.clock.advance(TURN)
      await pause(A_WHILE)
      expect(client.calls.length).toBe(1)
      bench.clock.advance(TURN)
      expect((await held).status).toBe(200)
      await eventually('the refund', async () => (await bench.left(limiter)) === 2)
    })

    it('charges a request once that passes two guards of one limiter', async bench => {
      const limiter = limiterOn(bench)(BUCKET)
      const client = await bench.serve([
        { limiter, delay: {} },
        { options: { limiter, delay: {} }, at: '/hello' },
      ])
      expect((await client.get()).status).toBe(200)
      expect(await waitOf(limiter)).toBe(40)
      const held = client.get()
      await eventually('the place', async () => (await waitOf(limiter)) === 80)
      bench.clock.advance(TURN)
      expect((await held).status).toBe(200)
      expect(await waitOf(limiter)).toBe(40)
    })

    it('holds a request at a later guard, too', async bench => {
      const make = limiterOn(bench)
      const loose = make({ name: 'loose', limit: 9, window: 600 })
      const tight = make(BUCKET)
      const client = await bench.serve([
        { limiter: loose, delay: {} },
        { options: { limiter: tight, delay: {} }, at: '/hello' },
      ])
      expect((await client.get()).headers['ratelimit-limit']).toBe('25')
      const held = client.get()
      await eventually('the place', async () => (await waitOf(tight)) === 80)
      bench.clock.advance(TURN)
      const { status, headers } = await held
      expect([status, headers['ratelimit-limit'], headers['ratelimit-remaining']]).toEqual([200, '25', '0'])
      expect(await bench.left(loose, 'loose')).toBe(7)
    })

    it('lets no request pass by the key of one whose place was given back', async bench => {
      const limiter = limiterOn(bench)(BUCKET)
      const idempotencyKey = (request: unknown): string | undefined =>
        adapter.header(request as never, 'idempotency-key')
      const { client, seen } = await serve(bench, { limiter, delay: {}, idempotencyKey })
      await client.get()
      const key = { 'Idempotency-Key': 'k' }
      const connection = client.connect()
      connection.send(rawRequest('GET', '/hello', key))
      await seen(2)
      const repeated = client.get('/hello', key)
      await seen(3)
      connection.abort()
      await pause(A_WHILE)
      expect(client.calls.length).toBe(1)
      bench.clock.advance(TURN)
      expect((await repeated).status).toBe(200)
      // From now on the key is paid.
      expect((await client.get('/hello', key)).status).toBe(200)
      expect(await waitOf(limiter)).toBe(40)
    })

    if (adapter.http2 === undefined) return
    it('gives the place of an HTTP/2 stream back that the client resets', async bench => {
      const limiter = limiterOn(bench)(BUCKET)
      const { client, seen } = await serve(bench, { limiter, delay: {} }, { http2: true })
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
      await seen(2)
      const held = ask()
      await seen(3)
      reset.close(CANCEL)
      await eventually('the place that came back', async () => (await waitOf(limiter)) === 80)
      bench.clock.advance(TURN)
      expect(await held).toBe(200)
      expect(client.calls.length).toBe(2)
      session.destroy()
    })
  })
}
