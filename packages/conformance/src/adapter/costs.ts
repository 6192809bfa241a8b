import type { Cost } from '@halt/core'

import { gate, limitOf, pause } from './bench.ts'
import type { SuiteOptions } from './contract.ts'
import type { TestFunctions } from './test-functions.ts'

/** Costs of requests, refunds by `chargeWhen`, and idempotency keys. */
export function testCosts({ describe, it, expect, adapter }: TestFunctions): void {
  const header = (request: unknown, name: string): string | undefined =>
    adapter.header(request as never, name)
  const status = (response: unknown): number => adapter.status(response as never)

  describe('cost', () => {
    for (const [what, cost] of [
      ['a number', 3],
      ['a number by policy', { p: 3 }],
      ['a function', request => Number(header(request, 'x-cost'))],
      ['a function that answers later', async request => ({ p: Number(header(request, 'x-cost')) })],
    ] as const satisfies readonly (readonly [string, SuiteOptions['cost']])[]) {
      it(`a guard charges a cost that is ${what}`, async bench => {
        const client = await bench.serve([{ limiter: bench.limiter(limitOf(7)), cost }])
        const left: (string | undefined)[] = []
        for (let i = 0; i < 3; i++) {
          const { headers } = await client.get('/hello', { 'x-cost': '3' })
          left.push(headers['ratelimit-remaining'])
        }
        // A refusal charges nothing: one unit is still left.
        expect(left).toEqual(['4', '1', '1'])
      })
    }

    it('a guard charges nothing for a cost of 0, and rounds a cost up', async bench => {
      const limiter = bench.limiter(limitOf(5))
      const client = await bench.serve([{ limiter, cost: request => Number(header(request, 'x-cost')) }])
      await client.get('/hello', { 'x-cost': '0' })
      expect(await bench.left(limiter)).toBe(5)
      await client.get('/hello', { 'x-cost': '1.2' })
      expect(await bench.left(limiter)).toBe(3)
    })

    it('a cost above the capacity is always refused, without Retry-After, and charges nothing', async bench => {
      const limiter = bench.limiter(limitOf(5, { blockDuration: 60 }))
      const client = await bench.serve([{ limiter, cost: request => Number(header(request, 'x-cost')) }])
      const { status: code, headers, body } = await client.get('/hello', { 'x-cost': '6' })
      expect([code, headers['retry-after'], JSON.parse(body).retry_after]).toEqual([429, undefined, null])
      expect(await bench.left(limiter)).toBe(5)
      expect((await client.get('/hello', { 'x-cost': '5' })).status).toBe(200)
    })

    for (const [how, cost] of [
      ['throws', (): Cost => JSON.parse('{')],
      ['rejects', () => Promise.reject(new Error('broken'))],
      ['never settles', () => new Promise<Cost>(() => {})],
      ['gives NaN', () => Number.NaN],
      ['gives a negative number', () => -1],
      ['gives text', () => '1' as unknown as Cost],
      ['gives nothing', () => undefined as unknown as Cost],
      ['gives a list', () => [0] as unknown as Cost],
    ] as const satisfies readonly (readonly [string, SuiteOptions['cost']])[]) {
      it(`a cost function that ${how} takes the whole limit, or costOnError`, async bench => {
        const limiter = bench.limiter(limitOf(5), { callbackTimeout: '30ms' })
        const dear = await bench.serve([{ limiter, cost }])
        expect((await dear.get()).status).toBe(200)
        expect(await bench.left(limiter)).toBe(0)
        await limiter.reset({ ip: '127.0.0.1' })
        const cheap = await bench.serve([{ limiter, cost, costOnError: 2 }])
        expect((await cheap.get()).status).toBe(200)
        expect(await bench.left(limiter)).toBe(3)
        expect(bench.warned).toEqual(['HALT_W_CALLBACK'])
      })
    }
  })

  describe('a cost that a client writes', () => {
    it('a cost that a client writes takes the whole limit where it names no policy', async bench => {
      const limiter = bench.limiter(limitOf(5))
      const cost = (request: unknown): Cost => JSON.parse(header(request, 'x-cost') as string) as Cost
      const client = await bench.serve([{ limiter, cost }])
      expect((await client.get('/hello', { 'x-cost': '{"api":0}' })).status).toBe(200)
      expect(await bench.left(limiter)).toBe(0)
      for (const text of ['{}', '{"__proto__":{"p":0}}', '[0]', '"0"', '{"p":-1}', 'null'])
        expect((await client.get('/hello', { 'x-cost': text })).status).toBe(429)
      expect(client.calls.length).toBe(1)
    })
  })

  describe('chargeWhen', () => {
    it('chargeWhen refunds successful responses when only failures count', async bench => {
      const limiter = bench.limiter(limitOf(2))
      let code = 200
      const handle = (): { status: number; body: string } => ({ status: code, body: '' })
      const client = await bench.serve([{ limiter, chargeWhen: response => status(response) === 401 }], {
        handle,
      })
      for (let i = 0; i < 4; i++) {
        expect((await client.post('/login')).status).toBe(200)
        await bench.eventually('the refund', async () => (await bench.left(limiter)) === 2)
      }
      code = 401
      expect((await client.post('/login')).status).toBe(401)
      expect((await client.post('/login')).status).toBe(401)
      expect((await client.post('/login')).status).toBe(429)
    })

    it('chargeWhen sees the status of a handler that threw', async bench => {
      const limiter = bench.limiter(limitOf(2))
      const handle = (): never => {
        throw new Error('the handler broke')
      }
      const client = await bench.serve([{ limiter, chargeWhen: response => status(response) < 500 }], {
        handle,
      })
      expect((await client.get()).status).toBe(500)
      await bench.eventually('the refund', async () => (await bench.left(limiter)) === 2)
    })

    it('chargeWhen is not asked about a request that the client aborted, which stays charged', async bench => {
      // The request in flight tells when the adapter has seen the client go.
      const limiter = bench.limiter([
        limitOf(5),
        { name: 'busy', algorithm: 'concurrency', limit: 1, ttl: 600 },
      ])
      const { passed, open } = gate()
      const handle = async (): Promise<{ status: number; body: string }> => {
        await passed
        return { status: 200, body: '' }
      }
      const client = await bench.serve([{ limiter, chargeWhen: () => false }], { handle })
      const connection = client.connect()
      connection.send('GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await bench.eventually('the handler', () => client.calls.length === 1)
      connection.abort()
      await bench.eventually('the release', async () => (await bench.left(limiter, 'busy')) === 1)
      expect(await bench.left(limiter)).toBe(4)
      open()
      expect((await client.get()).status).toBe(200)
      await bench.eventually('the other refund', async () => (await bench.left(limiter)) === 4)
    })

    it('chargeWhen may answer later', async bench => {
      const limiter = bench.limiter(limitOf(2, { inFlight: 1 }))
      let code = 200
      const handle = (): { status: number; body: string } => ({ status: code, body: '' })
      const chargeWhen = async (response: unknown): Promise<boolean> => {
        const found = status(response)
        await pause(20)
        return found === 401
      }
      const client = await bench.serve([{ limiter, chargeWhen }], { handle })
      for (let i = 0; i < 3; i++) {
        await bench.eventually('a place', async () => (await client.post('/login')).status === 200)
        await bench.eventually('the end', async () => (await bench.left(limiter)) === 2)
      }
      code = 401
      await bench.eventually('a place', async () => (await client.post('/login')).status === 401)
      await bench.eventually('the charge', async () => (await bench.left(limiter)) === 1)
    })

    it('a chargeWhen that never answers leaves the request charged, and warns', async bench => {
      const limiter = bench.limiter(limitOf(2), { callbackTimeout: '20ms' })
      const client = await bench.serve([{ limiter, chargeWhen: () => new Promise(() => {}) }])
      expect(await client.statuses(3)).toEqual([200, 200, 429])
      await bench.eventually('a warning', () => bench.warned.length > 0)
      expect([bench.warned, await bench.left(limiter)]).toEqual([['HALT_W_CALLBACK'], 0])
    })

    it('a chargeWhen that throws leaves the request charged, and warns', async bench => {
      const limiter = bench.limiter(limitOf(2))
      const chargeWhen = (): never => {
        throw new Error('broken')
      }
      const client = await bench.serve([{ limiter, chargeWhen }])
      expect(await client.statuses(3)).toEqual([200, 200, 429])
      expect(bench.warned).toEqual(['HALT_W_CALLBACK'])
    })
  })

  describe('idempotencyKey', () => {
    it('a guard charges a request with a repeated idempotency key once', async bench => {
      const limiter = bench.limiter(limitOf(3))
      const idempotencyKey = (request: unknown): string | undefined => header(request, 'idempotency-key')
      const client = await bench.serve([{ limiter, idempotencyKey }])
      const key = (name: string): Record<string, string> => ({ 'idempotency-key': name })
      expect(await client.statuses(5, '/hello', key('a'))).toEqual([200, 200, 200, 200, 200])
      expect(await bench.left(limiter)).toBe(2)
      expect(await client.statuses(2, '/hello', key('b'))).toEqual([200, 200])
      expect(await bench.left(limiter)).toBe(1)
      expect(await client.statuses(2)).toEqual([200, 429])
    })

    for (const [how, idempotencyKey] of [
      ['throws', (): string => JSON.parse('{')],
      ['answers later', (async () => 'a') as unknown as () => string],
      ['gives no text', () => ({}) as string],
    ] as const)
      it(`a guard charges each request where idempotencyKey ${how}, and warns`, async bench => {
        const client = await bench.serve([{ limiter: bench.limiter(limitOf(2)), idempotencyKey }])
        expect(await client.statuses(3)).toEqual([200, 200, 429])
        expect(bench.warned).toEqual(['HALT_W_CALLBACK'])
      })
  })
}
