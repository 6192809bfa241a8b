import { RateLimiter } from '@halt/core'
import type { Store } from '@halt/core/store'
import { InMemoryStore } from '@halt/store-memory'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { describe, expect, inject, it, onTestFinished } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { limitedFetch } from '../../src/index.ts'
import { serve } from '../server.ts'

const WINDOW = 1000
const ALLOWED = 5

/** A server that allows five calls per second and refuses the others until the second is over. */
async function rationedServer(): Promise<{
  url: string
  served: () => number
  refusedBySecond: () => number[]
}> {
  const seconds = new Map<number, { served: number; refused: number }>()
  const { url } = await serve(res => {
    const now = Date.now()
    const second = Math.floor(now / WINDOW)
    const count = seconds.get(second) ?? { served: 0, refused: 0 }
    seconds.set(second, count)
    if (count.served < ALLOWED) {
      count.served++
      res.end('served')
    } else {
      count.refused++
      res.writeHead(429, { 'retry-after-ms': String((second + 1) * WINDOW - now + 1) }).end()
    }
  })
  return {
    url,
    served: () => [...seconds.values()].reduce((sum, { served }) => sum + served, 0),
    refusedBySecond: () => [...seconds.values()].map(({ refused }) => refused),
  }
}

const stores: Readonly<Record<string, () => () => Store>> = {
  memory() {
    const shared = new InMemoryStore()
    return () => shared
  },
  Redis() {
    const prefix = `${unique()}:`
    return () => {
      const client = new Redis(inject('redisUrl'))
      const store = new RedisStore({ client, prefix })
      onTestFinished(async () => {
        await store.close()
        client.disconnect()
      })
      return store
    }
  },
}

describe.each(Object.entries(stores))('several limiters on one store in %s', (_name, place) => {
  it('several limiters slow down together: each meets at most one 429 per breach, and every call is served', async () => {
    const { url, served, refusedBySecond } = await rationedServer()
    const storeOf = place()
    // The limiter has room for all calls, so only the server holds them back.
    const policy = { name: 'calls', limit: 10_000, window: 3600 }
    const worker = async (): Promise<number[]> => {
      const fetch = limitedFetch({
        limiter: new RateLimiter({ store: storeOf(), policy, storeTimeout: '30s' }),
        key: 'server',
      })
      const statuses: number[] = []
      for (let i = 0; i < 7; i++) {
        const response = await fetch(url)
        statuses.push(response.status)
        await response.text()
      }
      return statuses
    }
    const statuses = await Promise.all([worker(), worker(), worker()])
    expect(statuses.flat()).toEqual(Array<number>(21).fill(200))
    expect(served()).toBe(21)
    expect(Math.max(...refusedBySecond())).toBeLessThanOrEqual(3)
    expect(Math.max(...refusedBySecond())).toBeGreaterThan(0)
  })

  it('several limiters keep to one rate, in the order in which each of them asked', async () => {
    const starts: string[] = []
    const { url } = await serve(res => void res.end())
    const storeOf = place()
    const policy = { name: 'calls', limit: 20, window: 1, burst: 1 }
    // Noted where the calls start: on a busy machine they may arrive in another order.
    const noted: typeof fetch = (input, init) => {
      starts.push(new URL(input as string).pathname)
      return fetch(input, init)
    }
    const [a, b] = [0, 1].map(() =>
      limitedFetch({
        limiter: new RateLimiter({ store: storeOf(), policy, storeTimeout: '30s' }),
        key: 'server',
        fetch: noted,
      }),
    ) as [typeof fetch, typeof fetch]
    const started = performance.now()
    await a(`${url}/0`)
    await Promise.all([a(`${url}/a1`), a(`${url}/a2`), a(`${url}/a3`), b(`${url}/b1`), b(`${url}/b2`)])
    expect(performance.now() - started).toBeGreaterThan(245)
    expect(starts.filter(path => path.startsWith('/a'))).toEqual(['/a1', '/a2', '/a3'])
    expect(starts.filter(path => path.startsWith('/b'))).toEqual(['/b1', '/b2'])
  })
})
