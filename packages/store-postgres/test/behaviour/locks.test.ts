import { afterAll, beforeAll, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { startPostgres } from '../../../../tools/postgres-server.mjs'
import { MOST_LOCKS } from '../../src/call.ts'
import { PostgresStore, schema } from '../../src/index.ts'
import { openPg } from '../databases.ts'
import { bucket, demand, group } from '../rules.ts'

const PROCESSES = isFull ? 20 : 6
const CONNECTIONS = 4
const POLICIES = 6

// As an unchanged server sets aside: 64 locks a connection. The short form has fewer connections, and so a smaller table of locks.
const room = ['max_locks_per_transaction=64', `max_connections=${isFull ? 100 : PROCESSES * CONNECTIONS + 6}`]
let server: Awaited<ReturnType<typeof startPostgres>>
const opened: ReturnType<typeof openPg>[] = []
const open = (max: number): ReturnType<typeof openPg> => {
  const database = openPg({ connectionString: server.url, max })
  opened.push(database)
  return database
}
let admin: ReturnType<typeof openPg>
let stores: PostgresStore[]
beforeAll(async () => {
  server = await startPostgres([...room, 'fsync=off'])
  admin = open(4)
  // A busy machine waits for a lock for longer than a second.
  await admin.run(schema().replaceAll("lock_timeout = '1s'", "lock_timeout = '60s'"))
  const parts = Array.from(
    { length: 40 },
    (_, i) => `CREATE TABLE other_${i} PARTITION OF other FOR VALUES FROM (${i}) TO (${i + 1})`,
  )
  await admin.run(['CREATE TABLE other (id int) PARTITION BY RANGE (id)', ...parts].join(';'))
  stores = Array.from({ length: PROCESSES }, () => new PostgresStore({ query: open(CONNECTIONS).query }))
})
afterAll(async () => {
  await Promise.all(opened.map(({ close }) => close()))
  await server.stop()
})

const DAY = bucket({ unit: 86_400e6, capacity: 1e6, limit: 1e6 })
const own = Array.from({ length: POLICIES - 1 }, (_, i) => ({ ...DAY, counter: `p${i}:t` }))
// The key that all share sorts last, so a check that waits for it holds its other locks.
const shared = demand('shared', { ...DAY, counter: 'zz:t' })
let clients = 0
const check = (store: PostgresStore): Promise<unknown> => {
  const ip = `ip:${clients++}`
  return store.evaluate(group(...own.map(rule => demand(ip, rule)), shared))
}

it(`${PROCESSES} processes of six policies that wait for one key leave the server locks for other applications`, async () => {
  const holder = await admin.pool.connect()
  await holder.query('BEGIN')
  await new PostgresStore({ query: holder }).evaluate(group(shared))

  const checks = Promise.allSettled(
    Array.from({ length: 256 }, () => stores.map(store => check(store))).flat(),
  )
  const held = async (): Promise<{ waiting: number; most: number }> => {
    const { rows } = await admin.pool.query<{ waiting: number; most: number }>(
      `SELECT count(*) FILTER (WHERE waits)::int AS waiting, coalesce(max(locks), 0)::int AS most FROM (
        SELECT pid, count(*) AS locks, bool_or(NOT granted) AS waits FROM pg_locks WHERE locktype = 'advisory' GROUP BY pid) l`,
    )
    return rows[0]!
  }
  await expect.poll(async () => (await held()).waiting, { timeout: 30_000 }).toBe(PROCESSES * CONNECTIONS)
  expect((await held()).most).toBeLessThanOrEqual(MOST_LOCKS)
  // Another application reads a table of 40 partitions, which takes a lock of each.
  for (let i = 0; i < 5; i++) await admin.pool.query('SELECT count(*) FROM other')
  await holder.query('ROLLBACK')
  holder.release()
  const results = await checks
  expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
})

it.runIf(isFull)(
  'half a minute of traffic of 20 processes neither fails nor disturbs another application',
  async () => {
    const ends = performance.now() + 30_000
    const failures: unknown[] = []
    const ask = async (act: () => Promise<unknown>): Promise<void> => {
      while (performance.now() < ends) await act().catch((error: unknown) => failures.push(String(error)))
    }
    const callers = stores.flatMap(store => Array.from({ length: 64 }, () => ask(() => check(store))))
    await Promise.all([...callers, ask(() => admin.pool.query('SELECT count(*) FROM other'))])
    expect(failures).toEqual([])
  },
)

it('a forgotten list of counters is locked in pieces', async () => {
  const sizes: number[] = []
  const { pool } = open(1)
  const store = new PostgresStore({
    query: (text, params) => {
      if (text.includes('forget')) sizes.push(params[0]!.split('\n').length)
      return pool.query(text, params)
    },
  })
  await store.evaluate(group(demand('forgotten')))
  const counters = Array.from({ length: 100 }, (_, i) => ({ subject: `u:${i}`, counter: 'api:t' }))
  expect(await store.forget([...counters, { subject: 'forgotten', counter: 'api:t' }])).toBe(1)
  expect(sizes).toEqual([MOST_LOCKS, MOST_LOCKS, 101 - 2 * MOST_LOCKS])
})

it('a server with room for fewer locks is a warning', async () => {
  const { pool } = open(1)
  // The setting cannot be changed while the server runs, so this says what such a server would answer.
  const store = new PostgresStore({
    query: async (text, params) => {
      const { rows } = await pool.query<Record<string, unknown>>(text, params)
      return rows.map(row => (row['locks'] === '64' ? { ...row, locks: '10' } : row))
    },
  })
  expect(await store.inspect()).toContainEqual(
    expect.objectContaining({
      code: 'HALT_W_STORE_MISCONFIGURED',
      message: expect.stringContaining('max_locks_per_transaction'),
    }),
  )
  expect(JSON.stringify(await new PostgresStore({ query: pool }).inspect())).not.toContain('locks')
})
