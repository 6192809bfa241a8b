// Tests `txStore` over a real Postgres: PGlite is the server itself, compiled to WebAssembly. It has one connection and runs one
// transaction at a time. The locks are written as for a server with many connections.
import { PGlite, type Transaction as PgTransaction } from '@electric-sql/pglite'
import { RateLimiter } from '@halt/core'
import { type Change, type Store, type Transaction, txStore } from '@halt/core/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { storeSuite } from '../../src/index.ts'

let database: PGlite

beforeAll(async () => {
  database = await PGlite.create()
  await database.exec(
    'create table counters (key text primary key, value text not null, expires_at timestamptz not null)',
  )
}, 60_000)
afterAll(() => database.close())

// Text in Postgres cannot hold NUL or a lone surrogate. JSON escapes both.
const nameOf = (key: string): string => JSON.stringify(key)

/** A store in a table of Postgres. It uses the database's clock unless another is given. */
function postgresStore(clock?: () => number): Store {
  return txStore(
    {
      transaction: work => database.transaction(transaction => work(overRows(transaction, clock))),
      remove: async keys =>
        (await database.query('delete from counters where key = any($1)', [keys.map(nameOf)])).affectedRows ??
        0,
    },
    { kind: 'postgres', ...(clock === undefined ? {} : { clock }) },
  )
}

function overRows(transaction: PgTransaction, clock: (() => number) | undefined): Transaction {
  const rows: Transaction = {
    async lock(keys) {
      // Locks each key and not its row. A missing row cannot be locked, so two transactions would insert it.
      // Locks in the order of the keys, which is the same everywhere, so that no two transactions wait for each other.
      for (const key of keys)
        await transaction.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [nameOf(key)])
      const found = await transaction.query<{ key: string; value: string }>(
        'select key, value from counters where key = any($1)',
        [keys.map(nameOf)],
      )
      return new Map(found.rows.map(({ key, value }) => [JSON.parse(key) as string, value]))
    },
    async write(changes) {
      for (const change of changes) await keep(transaction, change)
    },
  }
  if (clock !== undefined) return rows
  return {
    ...rows,
    async now() {
      const { rows: instants } = await transaction.query<{ ms: string }>(
        'select (extract(epoch from clock_timestamp()) * 1000)::text as ms',
      )
      return Number(instants[0]?.ms)
    },
  }
}

async function keep(transaction: PgTransaction, { key, value, expiresAt }: Change): Promise<void> {
  if (value === undefined) await transaction.query('delete from counters where key = $1', [nameOf(key)])
  else {
    await transaction.query(
      `insert into counters values ($1, $2, to_timestamp($3::double precision / 1000))
       on conflict (key) do update set value = excluded.value, expires_at = excluded.expires_at`,
      [nameOf(key), value, expiresAt],
    )
  }
}

storeSuite(
  { describe, expect, it },
  {
    name: 'txStore over Postgres',
    async make(clock) {
      await database.exec('delete from counters')
      return postgresStore(clock)
    },
    histories: 2,
    steps: 60,
  },
)

describe('txStore', () => {
  const policy = { name: 'p', limit: 5, window: 60 }

  it('decides by the database’s clock, and admits exactly the limit of 30 concurrent first requests', async () => {
    await database.exec('delete from counters')
    const store = postgresStore()
    const limiters = Array.from({ length: 3 }, () => new RateLimiter({ store, policy, storeTimeout: '5s' }))
    const asked = Array.from({ length: 10 }, () =>
      limiters.map(limiter => limiter.consume({ ip: '203.0.113.7' })),
    ).flat()
    const decisions = await Promise.all(asked)
    expect(decisions.filter(decision => decision?.allowed)).toHaveLength(5)
    expect(decisions.every(decision => decision?.degraded === false)).toBe(true)
    const soon = Date.now() / 1000 + 60
    expect(Math.abs((decisions[29]?.resetAt ?? 0) - soon)).toBeLessThan(5)
  })

  it('writes nothing if the transaction fails', async () => {
    await database.exec('delete from counters')
    const backend = {
      transaction: <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> =>
        database.transaction(async inner => {
          await work(overRows(inner, Date.now))
          throw new Error('the connection broke before the commit')
        }),
      remove: async () => 0,
    }
    const limiter = new RateLimiter({ store: txStore(backend), policy, warn: () => {}, storeTimeout: '5s' })
    expect((await limiter.consume({ ip: '203.0.113.7' })).degraded).toBe('local')
    const { rows } = await database.query('select * from counters')
    expect(rows).toEqual([])
  })

  it('writes when a counter may be removed, and removes it on forget()', async () => {
    await database.exec('delete from counters')
    const limiter = new RateLimiter({ store: postgresStore(), policy, storeTimeout: '5s' })
    await limiter.consume({ ip: '203.0.113.7' }, { cost: 5 })
    const { rows } = await database.query<{ left: number }>(
      'select extract(epoch from expires_at - now())::float8 as left from counters',
    )
    expect(rows).toHaveLength(1)
    expect(rows[0]?.left).toBeGreaterThan(55)
    expect(rows[0]?.left).toBeLessThanOrEqual(61)
    await limiter.reset({ ip: '203.0.113.7' })
    expect((await database.query('select * from counters')).rows).toEqual([])
  })
})
