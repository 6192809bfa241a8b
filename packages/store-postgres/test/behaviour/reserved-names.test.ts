import { RateLimiter } from '@halt/core'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { PostgresStore, schema } from '../../src/index.ts'
import { type Database, openPg } from '../databases.ts'

// A database of its own, because these names cannot be unique in a shared one.
const own = unique()
const server = openPg()
let database: Database
beforeAll(async () => {
  await server.run(`CREATE DATABASE ${own}`)
  const url = new URL(inject('postgresUrl'))
  url.pathname = own
  database = openPg({ connectionString: url.href })
})
afterAll(async () => {
  await database.close()
  await server.run(`DROP DATABASE ${own}`)
  await server.close()
})

it.each(['user', 'order', 'select', 'table', 'all', 'shop'])(
  'a store counts, resets and finds nothing missing in a schema called %s',
  async name => {
    await database.run(schema({ schema: name }))
    await database.run(schema({ schema: name, unlogged: true }))
    const store = new PostgresStore({ query: database.query, schema: name })
    const policy = { name: 'api', limit: 2, window: 3600 }
    const limiter = new RateLimiter({ store, policy, storeTimeout: '60s' })
    for (const remaining of [1, 0]) {
      expect(await limiter.consume({ ip: '203.0.113.7' })).toMatchObject({ remaining, degraded: false })
    }
    expect(await limiter.reset({ ip: '203.0.113.7' })).toBe(1)
    const codes = (await limiter.ready()).map(({ code }) => code)
    expect(codes).not.toContain('HALT_W_STORE_SCHEMA')
    await limiter.close()
  },
)
