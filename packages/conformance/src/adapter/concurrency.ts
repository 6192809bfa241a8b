import type { RateLimiter, ConcurrencyPolicy } from '@halt/core'
import type { Store } from '@halt/core/store'

import { type Bench, gate, limitOf, pause } from './bench.ts'
import type { Reply, SuiteOptions } from './contract.ts'
import { rawRequest } from './raw-client.ts'
import type { TestFunctions } from './test-functions.ts'

const BUSY: ConcurrencyPolicy = { name: 'p', algorithm: 'concurrency', limit: 1, ttl: 600 }

/** Concurrency policies: requests in flight and their releases. */
export function testConcurrency({ describe, it, expect, adapter }: TestFunctions): void {
  const released = (bench: Bench, limiter: RateLimiter): Promise<void> =>
    bench.eventually('the release', async () => (await bench.left(limiter)) === 1)
  const waiting = (passed: Promise<void>) => async (): Promise<Reply> => {
    await passed
    return { status: 200, body: 'ok' }
  }

  describe('a concurrency policy', () => {
    it('a concurrency policy refuses while a request is in flight, and admits the next one after it', async bench => {
      const limiter = bench.limiter(BUSY)
      const { passed, open } = gate()
      const client = await bench.serve([{ limiter }], { handle: waiting(passed) })
      const first = client.get()
      await bench.eventually('the handler', () => client.calls.length === 1)
      expect((await client.get()).status).toBe(429)
      open()
      expect((await first).status).toBe(200)
      await released(bench, limiter)
      expect((await client.get()).status).toBe(200)
    })

    it('a concurrency policy frees the place of a client that left', async bench => {
      const limiter = bench.limiter(BUSY)
      const { passed, open } = gate()
      const client = await bench.serve([{ limiter }], { handle: waiting(passed) })
      const connection = client.connect()
      connection.send(rawRequest('GET', '/hello'))
      await bench.eventually('the handler', () => client.calls.length === 1)
      expect(await bench.left(limiter)).toBe(0)
      connection.abort()
      await released(bench, limiter)
      open()
    })

    if (adapter.inSequence !== true)
      it('a concurrency policy frees the places of a client that left with several pipelined requests', async bench => {
        const limiter = bench.limiter({ ...BUSY, limit: 3 })
        const { passed, open } = gate()
        const client = await bench.serve([{ limiter }], { handle: waiting(passed) })
        const connection = client.connect()
        const request = rawRequest('GET', '/hello')
        connection.send(request, request, request)
        await bench.eventually('the handlers', () => client.calls.length === 3)
        expect(await bench.left(limiter)).toBe(0)
        connection.abort()
        await bench.eventually('the releases', async () => (await bench.left(limiter)) === 3)
        open()
      })

    it('a concurrency policy frees the place of a client that left before the store answered', async bench => {
      const { passed, open } = gate()
      let asked = 0
      const slow: Store = {
        evaluate: async group => {
          if (asked++ === 0) await passed
          return bench.store.evaluate(group)
        },
        forget: counters => bench.store.forget(counters),
      }
      const limiter = bench.limiter(BUSY, { store: slow })
      const client = await bench.serve([{ limiter }])
      const connection = client.connect()
      connection.send(rawRequest('GET', '/hello'))
      await bench.eventually('the store', () => asked === 1)
      connection.abort()
      await pause(30)
      open()
      await bench.eventually('the charge and its release', () => asked === 2)
      await released(bench, limiter)
    })

    it('a concurrency policy frees the place of a handler that threw', async bench => {
      const limiter = bench.limiter(BUSY)
      const inside: number[] = []
      const handle = async (): Promise<never> => {
        inside.push(await bench.left(limiter))
        throw new Error('the handler broke')
      }
      const client = await bench.serve([{ limiter }], { handle })
      expect((await client.get()).status).toBe(500)
      await released(bench, limiter)
      expect(inside).toEqual([0])
    })

    it('a concurrency policy frees the place of a request that a later guard refused', async bench => {
      const limiter = bench.limiter(BUSY)
      const before: number[] = []
      const skip = async (): Promise<boolean> => {
        before.push(await bench.left(limiter))
        return false
      }
      const strict = {
        options: { limiter: bench.limiter(limitOf(1, { name: 'strict' })), skip },
        at: '/hello',
      } as const
      const client = await bench.serve([{ limiter }, strict])
      expect((await client.get()).status).toBe(200)
      await released(bench, limiter)
      expect((await client.get()).status).toBe(429)
      await released(bench, limiter)
      // Guards that are merged charge all policies together, or none.
      expect(before).toEqual(adapter.merges === true ? [] : [0, 0])
    })

    const sources: Readonly<Record<string, (bench: Bench) => SuiteOptions>> = {
      'is given to a guard': bench => ({
        limiter: bench.limiter(limitOf(100, { name: 'rate' })),
        policy: BUSY,
      }),
      'comes from a resolver': bench => ({ limiter: bench.limiter(() => BUSY) }),
    }
    for (const [source, optionsOf] of Object.entries(sources))
      it(`a concurrency policy that ${source} frees the place of a request that has ended`, async bench => {
        const observer = bench.limiter(BUSY)
        const inside: number[] = []
        const handle = async (): Promise<Reply> => {
          inside.push(await bench.left(observer))
          return { status: 200, body: 'ok' }
        }
        const client = await bench.serve([optionsOf(bench)], { handle })
        expect((await client.get()).status).toBe(200)
        expect(inside).toEqual([0])
        await released(bench, observer)
      })
  })
}
