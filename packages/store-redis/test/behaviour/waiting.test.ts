// Callers that wait for their turn, with two stores on one server as two processes have them.
import { RateLimiter, type RateLimiterOptions } from '@halt/core'
import { Cluster, Redis } from 'ioredis'
import { afterAll, expect, inject, it, vi } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { RedisStore } from '../../src/index.ts'

const client = new Redis(inject('redisUrl'))
const cluster = new Cluster(inject('clusterNodes'))
afterAll(() => Promise.all([client.quit(), cluster.quit()]))

/** Two limiters of one policy, each with a store of its own, and the number of groups that their stores were asked. */
function pair(over: Redis | Cluster, policy: RateLimiterOptions['policy']) {
  const prefix = `${unique()}:`
  const asked = { groups: 0 }
  const limiters = [0, 1].map(() => {
    const store = new RedisStore({ client: over, connection: 'shared', prefix })
    const counted = {
      isChecked: true,
      evaluate: (group: Parameters<RedisStore['evaluate']>[0]) => {
        asked.groups++
        return store.evaluate(group)
      },
      forget: () => 0,
    }
    return new RateLimiter({ store: counted, policy, storeTimeout: '10s', warn: () => {} })
  })
  return { limiters: limiters as [RateLimiter, RateLimiter], asked }
}

it('callers of two processes start one after the other, and ask the store at most three times each', async () => {
  const { limiters, asked } = pair(client, { name: 'api', limit: 50, window: 1, burst: 1 })
  const starts: number[] = []
  const began = performance.now()
  // One after the other, so that the order of asking is known.
  const turns = []
  for (let place = 0; place < 8; place++) {
    const turn = limiters[place % 2]!.acquire({ custom: 'stripe' })
    turns.push(
      turn.then(decision => {
        starts.push(performance.now() - began)
        return decision
      }),
    )
    await limiters[0].peek({ custom: 'stripe' })
  }
  const decisions = await Promise.all(turns)
  expect(decisions.every(({ allowed }) => allowed)).toBe(true)
  // The two that come first may change places, where the server does not know the script yet.
  for (const [i, at] of starts.entries()) expect(at).toBeGreaterThan(i * 20 - 10)
  // Each of the seven that waited looked once whether its counter was blocked meanwhile, and each turn was followed by a peek.
  expect(asked.groups).toBeLessThanOrEqual(8 + 7 + 8)
})

it('callers whose counters are in several hash slots get their turns, no more at once than the limit', async () => {
  const { limiters } = pair(cluster, [
    { name: 'all', limit: 20, window: 1, burst: 2, keyStrategy: 'shared' },
    { name: 'own', limit: 1000, window: 1, keyStrategy: 'user' },
  ])
  const began = performance.now()
  const starts = await Promise.all(
    Array.from({ length: 10 }, async (_, i) => {
      const view = {
        method: 'GET',
        path: '/',
        ip: '203.0.113.7',
        headers: {},
        request: { user: { id: `${i}` } },
      }
      const { allowed } = await limiters[i % 2]!.acquire(view, { maxWait: '30s' })
      return [allowed, performance.now() - began] as const
    }),
  )
  expect(starts.every(([allowed]) => allowed)).toBe(true)
  // Two at once, then one in 50 ms.
  const times = starts.map(([, at]) => at).sort((a, b) => a - b)
  for (const [i, at] of times.entries()) expect(at).toBeGreaterThan((i - 1) * 50 - 60)
})

it.each([
  ['on one server', client],
  ['in a cluster', cluster],
] as const)(
  'every process sees who waits in a line %s, and when the last one starts',
  async (_where, over) => {
    const { limiters } = pair(over, { name: 'api', limit: 1, window: 60, burst: 1 })
    const [one, other] = limiters
    expect(await one.line('stripe')).toEqual({ units: 0, callers: 0, lastStartsInMs: 0 })
    const leaving = new AbortController()
    expect((await one.acquire('stripe')).allowed).toBe(true)
    const turns: Promise<unknown>[] = []
    for (const limiter of [one, other, one]) {
      turns.push(limiter.acquire('stripe', { maxWait: '10m', signal: leaving.signal }).catch(() => undefined))
      // One after the other, so that each has its place when the next one asks.
      await vi.waitFor(() => expect(one.waiting + other.waiting).toBe(turns.length), 30_000)
    }
    const [seen, elsewhere] = [await one.line('stripe'), await other.line('stripe')]
    expect([seen.units, seen.callers, elsewhere.units, elsewhere.callers]).toEqual([3, 2, 3, 1])
    // Three minutes, less what has passed meanwhile.
    for (const { lastStartsInMs = 0 } of [seen, elsewhere]) {
      expect(lastStartsInMs).toBeGreaterThan(120_000)
      expect(lastStartsInMs).toBeLessThanOrEqual(180_000)
    }
    leaving.abort()
    await Promise.all([one.idle('stripe'), other.idle(), ...turns])
    await Promise.all([one.close(), other.close()])
    expect(await one.line('stripe')).toEqual({ units: 0, callers: 0, lastStartsInMs: 0 })
  },
)
