// A line as it is seen from two processes, each with a store of its own on one PostgreSQL.
import { RateLimiter } from '@halt/core'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'

import { makeStore, openPg } from '../databases.ts'
import { PostgresStore } from '../../src/index.ts'

const database = openPg({ max: 2 })
let schema = ''
beforeAll(async () => {
  ;({ schema } = await makeStore(database))
})
afterAll(async () => {
  await database.run(`DROP SCHEMA "${schema}" CASCADE`)
  await database.close()
})

it('every process sees who waits in a line, and when the last one starts', async () => {
  const policy = { name: 'api', limit: 1, window: 60, burst: 1 }
  const [one, other] = [0, 1].map(
    () =>
      new RateLimiter({
        store: new PostgresStore({ query: database.query, schema }),
        policy,
        storeTimeout: '10s',
        warn: () => {},
      }),
  ) as [RateLimiter, RateLimiter]
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
})
