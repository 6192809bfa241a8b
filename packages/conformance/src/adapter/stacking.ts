import { limitOf } from './bench.ts'
import type { TestFunctions } from './test-functions.ts'

/** Several guards on the way of one request. */
export function testStacking({ describe, it, expect, adapter }: TestFunctions): void {
  describe('several guards on one route', () => {
    for (const order of ['before', 'after'] as const) {
      it(`handlers and headers show the tightest decision when the looser guard comes ${order} it`, async bench => {
        const loose = {
          options: { limiter: bench.limiter(limitOf(10, { name: 'loose' })) },
          at: '/hello',
        } as const
        const tight = {
          options: { limiter: bench.limiter(limitOf(2, { name: 'tight' })) },
          at: '/hello',
        } as const
        const client = await bench.serve(order === 'before' ? [loose, tight] : [tight, loose])
        const { headers } = await client.get()
        expect([headers['ratelimit-limit'], headers['ratelimit-remaining']]).toEqual(['2', '1'])
        expect(client.calls[0]?.decision).toMatchObject({ policy: 'tight', remaining: 1 })
        expect(await client.statuses(2)).toEqual([200, 429])
      })
    }

    it('handlers see the tightest decision of several guards even without headers', async bench => {
      const loose = { limiter: bench.limiter(limitOf(10, { name: 'loose' })), headers: false } as const
      const tight = { limiter: bench.limiter(limitOf(2, { name: 'tight' })), headers: false } as const
      const client = await bench.serve([loose, { options: tight, at: '/hello' }])
      await client.get()
      expect(client.calls[0]?.decision).toMatchObject({ policy: 'tight' })
    })

    it(`a later refusal ${adapter.merges ? 'charges no guard' : 'keeps the charge of an earlier guard'}`, async bench => {
      const first = bench.limiter(limitOf(10, { name: 'first' }))
      const second = bench.limiter(limitOf(1, { name: 'second' }))
      const client = await bench.serve([{ limiter: first }, { options: { limiter: second }, at: '/hello' }])
      expect(await client.statuses(3)).toEqual([200, 429, 429])
      expect(await bench.left(first, 'first')).toBe(adapter.merges ? 9 : 7)
    })

    it('a later guard is not asked when an earlier one refuses', async bench => {
      const first = bench.limiter(limitOf(1, { name: 'first' }))
      const second = bench.limiter(limitOf(10, { name: 'second' }))
      const client = await bench.serve([{ limiter: first }, { options: { limiter: second }, at: '/hello' }])
      expect(await client.statuses(3)).toEqual([200, 429, 429])
      expect(await bench.left(second, 'second')).toBe(9)
    })

    it('a guard charges all of its policies or none', async bench => {
      const limiter = bench.limiter([limitOf(10, { name: 'hour' }), limitOf(1, { name: 'minute' })])
      const client = await bench.serve([{ limiter }])
      expect(await client.statuses(3)).toEqual([200, 429, 429])
      expect(await bench.left(limiter, 'hour')).toBe(9)
    })
  })

  describe('one limiter in several guards', () => {
    it('several guards of one limiter charge a request once', async bench => {
      const limiter = bench.limiter(limitOf(5))
      const client = await bench.serve([{ limiter }, { limiter }, { options: { limiter }, at: '/hello' }])
      const { headers } = await client.get()
      expect(headers['ratelimit-remaining']).toBe('4')
      expect(await bench.left(limiter)).toBe(4)
      await client.get()
      expect(await bench.left(limiter)).toBe(3)
    })

    it('a later guard of the same limiter charges the difference when it costs more', async bench => {
      const limiter = bench.limiter(limitOf(9))
      const costly = { options: { limiter, cost: 4 }, at: '/hello' } as const
      const client = await bench.serve([{ limiter }, costly, { options: { limiter, cost: 2 }, at: '/hello' }])
      expect((await client.get()).headers['ratelimit-remaining']).toBe('5')
      expect(await bench.left(limiter)).toBe(5)
      expect((await client.get('/items/1')).headers['ratelimit-remaining']).toBe('4')
    })

    it('a later guard charges the difference of policies that a resolver gives, too', async bench => {
      const policy = limitOf(9)
      const limiter = bench.limiter(() => policy)
      const client = await bench.serve([{ limiter }, { options: { limiter, cost: 4 }, at: '/hello' }])
      expect((await client.get()).headers['ratelimit-remaining']).toBe('5')
    })

    it('a repeated call is charged once, also where the later guard has fewer policies', async bench => {
      const policy = limitOf(9)
      const limiter = bench.limiter([policy, limitOf(9, { name: 'other' })])
      const idempotencyKey = (): string => 'once'
      const later = { options: { limiter, policy, idempotencyKey }, at: '/hello' } as const
      const client = await bench.serve([{ limiter, idempotencyKey }, later])
      expect(await client.statuses(3)).toEqual([200, 200, 200])
      expect(await bench.left(limiter)).toBe(8)
    })

    it('a later guard refuses when the difference is more than the remaining units', async bench => {
      const limiter = bench.limiter(limitOf(3))
      const client = await bench.serve([{ limiter }, { options: { limiter, cost: 5 }, at: '/hello' }])
      expect((await client.get()).status).toBe(429)
    })

    it('a later guard charges each policy of its own', async bench => {
      const limiter = bench.limiter(limitOf(9))
      const strict = { options: { limiter, policy: limitOf(2, { name: 'strict' }) }, at: '/hello' } as const
      const client = await bench.serve([{ limiter }, strict])
      expect(await client.statuses(3)).toEqual([200, 200, 429])
      expect(await bench.left(limiter)).toBe(adapter.merges ? 7 : 6)
    })
  })
}
