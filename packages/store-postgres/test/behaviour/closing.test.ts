import { type Policy, type Decision, type HaltWarning, RateLimiter } from '@halt/core'
import { describe, expect, it } from 'vitest'

import { PostgresStore } from '../../src/index.ts'
import { type Database, makeStore, openPg, openPostgresJs } from '../databases.ts'

const policy: readonly Policy[] = [
  { name: 'places', algorithm: 'concurrency', limit: 20, ttl: 600, keyStrategy: 'user' },
  { name: 'logins', limit: 40, window: '1d', inFlight: 20, keyStrategy: 'user' },
]

// Statements that are still on their way when a pool ends are lost.
describe.each([
  ['pg', openPg],
  ['postgres.js', openPostgresJs],
])('limiter.close() on %s, and the end of the pool after it', (_name, open: () => Database) => {
  it.each(['limiter.close()', 'store.close()'])('%s records logins that end as it begins', async what => {
    const [database, other] = [open(), open()]
    const warned: HaltWarning[] = []
    const warn = (warning: HaltWarning): void => void warned.push(warning)
    const { store, schema } = await makeStore(database)
    const limiter = new RateLimiter({ store, policy, storeTimeout: '5s', warn })
    const decisions: Decision[] = []
    for (let i = 0; i < 20; i++) decisions.push(await limiter.consume({ user: '42' }))
    for (const [i, decision] of decisions.entries()) {
      void limiter.conclude(decision, i % 2 === 0)
      void limiter.release(decision)
    }
    await (what === 'limiter.close()' ? limiter : store).close()
    await database.close()
    const fresh = new PostgresStore({ query: other.query, schema })
    const after = new RateLimiter({ store: fresh, policy, storeTimeout: '5s' })
    const { verdicts } = await after.peek({ user: '42' })
    await other.close()
    expect(verdicts.map(({ remaining }) => remaining)).toEqual([20, 30])
    expect(warned).toEqual([])
  })
})
