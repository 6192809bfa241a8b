// Tests `txStore` over a real PostgreSQL.
import { RateLimiter } from '@halt/core'
import { type Change, type Store, type Transaction, txStore } from '@halt/core/store'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { allBut } from '../../../../tools/parts-of-suite.ts'
import { storeSuite } from '../../src/index.ts'

const TABLE = 'conformance_counters'
// One connection, because the suite expects calls to be decided in the order in which they come.
const database = new pg.Pool({ connectionString: inject('postgresUrl'), max: 1 })

beforeAll(() =>
  database.query(
    `create table ${TABLE} (key text primary key, value text not null, expires_at timestamptz not null)`,
  ),
)
afterAll(async () => {
  await database.query(`drop table ${TABLE}`)
  await database.end()
})

/** Runs work in a transaction, which is rolled back if the work fails. */
async function transaction<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await database.connect()
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

// Text in Postgres cannot hold NUL or a lone surrogate. JSON escapes both.
const nameOf = (key: string): string => JSON.stringify(key)

/** A store in a table of Postgres. It uses the database's clock unless another is given. */
function postgresStore(clock?: () => number): Store {
  return txStore(
    {
      transaction: work => transaction(client => work(overRows(client, clock))),
      remove: async keys =>
        (await database.query(`delete from ${TABLE} where key = any($1)`, [keys.map(nameOf)])).rowCount ?? 0,
    },
    { kind: 'postgres', ...(clock === undefined ? {} : { clock }) },
  )
}

function overRows(client: pg.PoolClient, clock: (() => number) | undefined): Transaction {
  const rows: Transaction = {
    async lock(keys) {
      // Locks each key and not its row. A missing row cannot be locked, so two transactions would insert it.
      // Locks in the order of the keys, which is the same everywhere, so that no two transactions wait for each other.
      for (const key of keys)
        await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [nameOf(key)])
      const found = await client.query<{ key: string; value: string }>(
        `select key, value from ${TABLE} where key = any($1)`,
        [keys.map(nameOf)],
      )
      return new Map(found.rows.map(({ key, value }) => [JSON.parse(key) as string, value]))
    },
    async write(changes) {
      for (const change of changes) await keep(client, change)
    },
  }
  if (clock !== undefined) return rows
  return {
    ...rows,
    async now() {
      const { rows: instants } = await client.query<{ ms: string }>(
        'select (extract(epoch from clock_timestamp()) * 1000)::text as ms',
      )
      return Number(instants[0]?.ms)
    },
  }
}

async function keep(client: pg.PoolClient, { key, value, expiresAt }: Change): Promise<void> {
  if (value === undefined) await client.query(`delete from ${TABLE} where key = $1`, [nameOf(key)])
  else {
    await client.query(
      `insert into ${TABLE} values ($1, $2, to_timestamp($3::double precision / 1000))
       on conflict (key) do update set value = excluded.value, expires_at = excluded.expires_at`,
      [nameOf(key), value, expiresAt],
    )
  }
}

// The arithmetic is that of `casStore`, which core-stores.test.ts plays whole.
const some = allBut('never over-admits', 'large numbers')

let time: () => number
storeSuite(some, {
  name: 'txStore over Postgres',
  async make(clock) {
    await database.query(`delete from ${TABLE}`)
    time = clock
    return postgresStore(clock)
  },
  another: () => postgresStore(time),
  histories: isFull ? 2 : 1,
  steps: 60,
})

describe('txStore', () => {
  const policy = { name: 'p', limit: 5, window: 60 }

  it('txStore decides by the clock of the database, and admits exactly the limit of 30 concurrent requests', async () => {
    await database.query(`delete from ${TABLE}`)
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

  it('txStore writes nothing if the transaction fails', async () => {
    await database.query(`delete from ${TABLE}`)
    const backend = {
      transaction: <T>(work: (transaction: Transaction) => Promise<T>): Promise<T> =>
        transaction(async inner => {
          await work(overRows(inner, Date.now))
          throw new Error('the connection broke before the commit')
        }),
      remove: async () => 0,
    }
    const limiter = new RateLimiter({ store: txStore(backend), policy, warn: () => {}, storeTimeout: '5s' })
    expect((await limiter.consume({ ip: '203.0.113.7' })).degraded).toBe('local')
    const { rows } = await database.query(`select * from ${TABLE}`)
    expect(rows).toEqual([])
  })

  it('txStore writes when a counter may be removed, and removes it on forget()', async () => {
    await database.query(`delete from ${TABLE}`)
    const limiter = new RateLimiter({ store: postgresStore(), policy, storeTimeout: '5s' })
    await limiter.consume({ ip: '203.0.113.7' }, { cost: 5 })
    const { rows } = await database.query<{ left: number }>(
      `select extract(epoch from expires_at - now())::float8 as left from ${TABLE}`,
    )
    expect(rows).toHaveLength(1)
    expect(rows[0]?.left).toBeGreaterThan(55)
    expect(rows[0]?.left).toBeLessThanOrEqual(61)
    await limiter.reset({ ip: '203.0.113.7' })
    expect((await database.query(`select * from ${TABLE}`)).rows).toEqual([])
  })
})
