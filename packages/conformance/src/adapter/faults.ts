import type { Store } from '@halt/core/store'

import { limitOf } from './bench.ts'
import type { TestFunctions } from './test-functions.ts'

const FAULTS: readonly [string, Store['evaluate']][] = [
  ['never answers', () => new Promise(() => {})],
  ['rejects', () => Promise.reject(new Error('the store is away'))],
  [
    'throws',
    () => {
      throw new Error('the store is away')
    },
  ],
]

/** Stores and policy resolvers that fail. */
export function testFaults({ describe, it, expect }: TestFunctions): void {
  for (const [how, evaluate] of FAULTS) {
    const broken: Store = { evaluate, forget: () => 0 }
    describe(`a store that ${how}`, () => {
      it('a guard counts in this process while the store fails', async bench => {
        const limiter = bench.limiter(limitOf(2), { store: broken, storeTimeout: '20ms' })
        const client = await bench.serve([{ limiter }])
        expect(await client.statuses(4)).toEqual([200, 200, 429, 429])
        expect(client.calls[0]?.decision).toMatchObject({ degraded: 'local' })
      })

      it('a guard with onStoreError "open" admits every request while the store fails', async bench => {
        const limiter = bench.limiter(limitOf(2), {
          store: broken,
          storeTimeout: '20ms',
          onStoreError: 'open',
        })
        const client = await bench.serve([{ limiter }])
        expect(await client.statuses(4)).toEqual([200, 200, 200, 200])
      })

      it('a guard with onStoreError "closed" answers 503 while the store fails', async bench => {
        const limiter = bench.limiter(limitOf(2), {
          store: broken,
          storeTimeout: '20ms',
          onStoreError: 'closed',
        })
        const client = await bench.serve([{ limiter, statusCode: 420 }])
        const { status, headers, body } = await client.get()
        expect([status, headers['retry-after'], headers['cache-control']]).toEqual([503, '1', 'no-store'])
        expect(JSON.parse(body)).toMatchObject({ error: 'service_unavailable', retry_after: 1 })
        expect(client.calls.length).toBe(0)
      })
    })
  }

  describe('a policy resolver that fails', () => {
    it('a guard answers 503 where the policy resolver fails', async bench => {
      const limiter = bench.limiter(() => {
        throw new Error('no database')
      })
      const client = await bench.serve([{ limiter, errorFormat: 'problem' }])
      const { status, body } = await client.get()
      expect(status).toBe(503)
      expect(JSON.parse(body)).toMatchObject({
        type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
        status: 503,
      })
    })

    it('fallbackPolicy replaces a policy resolver that fails', async bench => {
      const never = (): Promise<never> => new Promise(() => {})
      const limiter = bench.limiter(never, { fallbackPolicy: limitOf(1), callbackTimeout: '20ms' })
      const client = await bench.serve([{ limiter }])
      expect(await client.statuses(2)).toEqual([200, 429])
    })
  })
}
