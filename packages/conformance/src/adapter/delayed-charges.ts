import type { ConcurrencyPolicy } from '@halt/core'

import { gate, limitOf, pause } from './bench.ts'
import { A_WHILE, BUCKET, limiterOn, serve, TURN, waitOf } from './delay-scene.ts'
import { rawRequest } from './raw-client.ts'
import type { TestFunctions } from './test-functions.ts'

/** The option `delay` with other algorithms, costs, several guards and idempotency keys. */
export function testDelayedCharges({ describe, it, expect, adapter }: TestFunctions): void {
  describe('delay, and what it charges', () => {
    it('a guard holds requests until the next window, and shows how much of that is left', async bench => {
      const policy = limitOf(2, { window: '100ms' })
      const { client, inLine } = await serve(bench, { limiter: limiterOn(bench)(policy), delay: {} })
      expect(await client.statuses(2)).toEqual([200, 200])
      const third = client.get('/any')
      await inLine(1)
      const fourth = client.get('/items/1')
      await inLine(2)
      await pause(A_WHILE)
      expect(client.calls.length).toBe(2)
      bench.clock.advance('100ms')
      expect((await third).headers['ratelimit-remaining']).toBe('1')
      expect((await fourth).headers['ratelimit-remaining']).toBe('0')
      expect(client.calls.slice(2).map(({ path }) => path)).toEqual(['/any', '/items/:id'])
    })

    const busy: ConcurrencyPolicy = { name: 'p', algorithm: 'concurrency', limit: 1, ttl: 600 }

    it('a guard holds requests until one in flight has ended, and not those of clients that left', async bench => {
      const limiter = limiterOn(bench)(busy)
      const { passed, open } = gate()
      const { client, inLine } = await serve(
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
      await bench.eventually('the first request', () => client.calls.length === 1)
      const connection = client.connect()
      connection.send(rawRequest('POST', '/login'))
      await inLine(1)
      const last = client.get('/items/1')
      await inLine(2)
      connection.abort()
      await inLine(1)
      expect(client.calls.length).toBe(1)
      open()
      expect((await first).status).toBe(200)
      expect((await last).status).toBe(200)
      expect(client.calls.map(({ path }) => path)).toEqual(['/hello', '/items/:id'])
      await bench.eventually('the release', async () => (await bench.left(limiter)) === 1)
    })

    it('a guard holds a request for its whole cost, and refunds it as chargeWhen says', async bench => {
      const policy = { ...BUCKET, burst: 2 }
      const limiter = limiterOn(bench)(policy)
      const chargeWhen = (response: unknown): boolean => adapter.status(response as never) !== 200
      const options = { limiter, delay: {}, cost: 2, chargeWhen }
      const status = [500, 200]
      const { client, inLine } = await serve(bench, options, {
        handle: () => ({ status: status.shift() ?? 200, body: 'ok' }),
      })
      expect((await client.get()).status).toBe(500)
      const held = client.get()
      await inLine(1)
      bench.clock.advance(TURN)
      await pause(A_WHILE)
      expect(client.calls.length).toBe(1)
      bench.clock.advance(TURN)
      expect((await held).status).toBe(200)
      await bench.eventually('the refund', async () => (await bench.left(limiter)) === 2)
    })

    it('a request that passes two guards of one limiter is held and charged once', async bench => {
      const limiter = limiterOn(bench)(BUCKET)
      const client = await bench.serve([
        { limiter, delay: {} },
        { options: { limiter, delay: {} }, at: '/hello' },
      ])
      expect((await client.get()).status).toBe(200)
      expect(await waitOf(limiter)).toBe(40)
      const held = client.get()
      await bench.eventually('the place', async () => (await waitOf(limiter)) === 80)
      bench.clock.advance(TURN)
      expect((await held).status).toBe(200)
      expect(await waitOf(limiter)).toBe(40)
    })

    it('a later guard holds a request, too', async bench => {
      const make = limiterOn(bench)
      const loose = make({ name: 'loose', limit: 9, window: 600 })
      const tight = make(BUCKET)
      const client = await bench.serve([
        { limiter: loose, delay: {} },
        { options: { limiter: tight, delay: {} }, at: '/hello' },
      ])
      expect((await client.get()).headers['ratelimit-limit']).toBe('25')
      const held = client.get()
      await bench.eventually('the place', async () => (await waitOf(tight)) === 80)
      bench.clock.advance(TURN)
      const { status, headers } = await held
      expect([status, headers['ratelimit-limit'], headers['ratelimit-remaining']]).toEqual([200, '25', '0'])
      expect(await bench.left(loose, 'loose')).toBe(7)
    })

    it('no request passes by the idempotency key of a client that left its place', async bench => {
      const limiter = limiterOn(bench)(BUCKET)
      const idempotencyKey = (request: unknown): string | undefined =>
        adapter.header(request as never, 'idempotency-key')
      const { client, inLine } = await serve(bench, { limiter, delay: {}, idempotencyKey })
      await client.get()
      const key = { 'Idempotency-Key': 'k' }
      const connection = client.connect()
      connection.send(rawRequest('GET', '/hello', key))
      await inLine(1)
      const repeated = client.get('/hello', key)
      await inLine(2)
      connection.abort()
      await inLine(1)
      expect(client.calls.length).toBe(1)
      bench.clock.advance(TURN)
      expect((await repeated).status).toBe(200)
      // From now on the key is paid.
      expect((await client.get('/hello', key)).status).toBe(200)
      expect(await waitOf(limiter)).toBe(40)
    })
  })
}
