import { RateLimiter } from '@halt/core'
import { afterAll, expect, it } from 'vitest'

import { PostgresStore, schema } from '../../src/index.ts'
import { openPglite } from '../databases.ts'

// A database of its own, because these names cannot be unique in a shared one.
const database = openPglite()
afterAll(() => database.close())

it.each(['user', 'order', 'select', 'table', 'all', 'shop'])(
  'a store counts, resets and finds nothing missing in a schema called %s',
  async name => {
    await database.run(schema({ schema: name }))
    await database.run(schema({ schema: name, unlogged: true }))
    const store = new PostgresStore({ query: database.query, schema: name })
    const limiter = new RateLimiter({ store, policy: { name: 'api', limit: 2, window: 3600 } })
    for (const remaining of [1, 0]) {
      expect(await limiter.consume({ ip: '203.0.113.7' })).toMatchObject({ remaining, degraded: false })
    }
    expect(await limiter.reset({ ip: '203.0.113.7' })).toBe(1)
    const codes = (await limiter.ready()).map(({ code }) => code)
    expect(codes).not.toContain('HALT_W_STORE_SCHEMA')
    await limiter.close()
  },
)
