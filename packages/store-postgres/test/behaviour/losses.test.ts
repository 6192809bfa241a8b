// The counters are lost in an outage, or are not.
import { setTimeout as sleep } from 'node:timers/promises'

import { RateLimiter } from '@halt/core'
import { afterAll, expect, it } from 'vitest'

import { PostgresStore } from '../../src/index.ts'
import type { Query } from '../../src/query.ts'
import { makeStore, openPg } from '../databases.ts'

const database = openPg({ max: 4 })
afterAll(() => database.close())

const login = {
  name: 'login',
  limit: 2,
  window: '1h',
  algorithm: 'fixed-window',
  blockDuration: '1h',
} as const

/** A process that is away from the server while a test acts, and support on another process. */
async function scene() {
  const { schema } = await makeStore(database)
  let isAway = false
  const query: Query = async (text, params) => {
    if (isAway) throw new Error('connect ECONNREFUSED')
    return database.pool.query(text, params)
  }
  const limiterOf = (own: Query): RateLimiter =>
    new RateLimiter({
      store: new PostgresStore({ query: own, schema }),
      policy: { ...login, keyStrategy: 'user' },
      storeTimeout: '5s',
      warn: () => {},
    })
  const limiter = limiterOf(query)
  const outage = async (meanwhile: () => unknown): Promise<void> => {
    isAway = true
    for (let i = 0; i < 4; i++) await limiter.consume({ user: `other${i}` })
    await meanwhile()
    isAway = false
    while ((await limiter.consume({ user: 'last' }, { cost: 0 })).degraded !== false) await sleep(20)
  }
  return { limiter, support: limiterOf((text, params) => database.pool.query(text, params)), outage, schema }
}

it('a block that the table has lost comes back, and what was limited alone starts afresh', async () => {
  const { limiter, outage, schema } = await scene()
  for (let i = 0; i < 3; i++) await limiter.consume({ user: 'eve' })
  for (let i = 0; i < 2; i++) await limiter.consume({ user: 'ann' })
  await sleep(50)
  await outage(() => database.run(`TRUNCATE ${schema}.counters`))
  expect(await limiter.consume({ user: 'eve' })).toMatchObject({
    allowed: false,
    degraded: false,
    reason: 'blocked',
  })
  expect(await limiter.consume({ user: 'ann' })).toMatchObject({
    allowed: true,
    degraded: false,
    remaining: 1,
  })
})

it('a login that support resets while a process is away is not blocked again', async () => {
  const { limiter, support, outage } = await scene()
  for (let i = 0; i < 3; i++) await limiter.consume({ user: 'eve' })
  await sleep(50)
  await outage(() => support.reset({ user: 'eve' }))
  // For so long a refusal is repeated from memory.
  await sleep(1000)
  expect(await limiter.consume({ user: 'eve' })).toMatchObject({
    allowed: true,
    degraded: false,
    remaining: 1,
  })
})
