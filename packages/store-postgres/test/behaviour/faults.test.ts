import { RateLimiter } from '@halt/core'
import { afterAll, describe, expect, inject, it } from 'vitest'

import { butSlow } from '../../../../tools/but-slow.ts'
import { startPostgres } from '../../../../tools/postgres-server.mjs'
import { unique } from '../../../../tools/unique.ts'
import { PostgresStore, schema as schemaText } from '../../src/index.ts'
import { makeStore, openPg } from '../databases.ts'
import { bucket, demand, group } from '../rules.ts'

const database = openPg({ max: 4 })
const opened: { close: () => Promise<unknown> }[] = [database]
afterAll(() => Promise.all(opened.map(({ close }) => close())))

const policy = { name: 'api', limit: 5, window: 600, keyStrategy: 'user' } as const
/** A unit of a bucket that gives none back while a test runs, on the busiest machine either. */
const UNIT = 720e6
const ask = group(demand('user:1', bucket({ unit: UNIT, window: 5 * UNIT })))

/** A pool that logs in as a new role, which has the rights of a store on a schema. */
async function asRole(schema: string, attributes: string, after = ''): Promise<ReturnType<typeof openPg>> {
  const role = `role_${unique()}`
  await database.run(`CREATE ROLE ${role} LOGIN PASSWORD 'p' ${attributes};
    GRANT USAGE ON SCHEMA ${schema} TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role};
    ${after.replaceAll('@role', role)}`)
  const url = new URL(inject('postgresUrl'))
  url.username = role
  url.password = 'p'
  const pool = openPg({ connectionString: url.href, max: 2 })
  opened.push(pool)
  return pool
}

const codesOf = async (store: PostgresStore): Promise<string[]> =>
  butSlow(await store.inspect()).map(({ code }) => code)

describe('a database that is set up well', () => {
  it('a database with the rights that the documentation names gets no warning', async () => {
    const { store, schema } = await makeStore(database)
    expect(await codesOf(store)).toEqual([])
    const { query } = await asRole(schema, '')
    const own = new PostgresStore({ query, schema })
    expect(await codesOf(own)).toEqual([])
    expect(await own.evaluate(ask)).toMatchObject({ allowed: true })
    expect(await own.forget([{ subject: 'user:1', counter: 'api:t' }])).toBe(1)
    await own.probe()
  })

  it('a database keeps its counters when the schema runs again', async () => {
    const { store, schema } = await makeStore(database)
    const first = await store.evaluate(ask)
    await database.run(schemaText({ schema }))
    const second = await store.evaluate(ask)
    expect(second.states[0]![2]).toBeGreaterThan(first.states[0]![2]!)
  })

  it('a database has an unlogged table if that was asked for', async () => {
    const schema = unique()
    await database.run(schemaText({ schema, unlogged: true }))
    const { rows } = await database.pool.query(
      `SELECT relpersistence AS kind FROM pg_class WHERE oid = '${schema}.counters'::regclass`,
    )
    expect(rows).toEqual([{ kind: 'u' }])
    expect(await codesOf(new PostgresStore({ query: database.query, schema }))).toEqual([])
  })
})

describe('a database that is set up wrongly', () => {
  it('a missing schema is a coded error and a warning, and the policies decide by onStoreError', async () => {
    const store = new PostgresStore({ query: database.query, schema: 'nowhere' })
    await expect(store.evaluate(ask)).rejects.toMatchObject({ code: 'HALT_E_STORE_SCHEMA' })
    await expect(store.probe()).rejects.toMatchObject({ code: 'HALT_E_STORE_SCHEMA' })
    expect(await codesOf(store)).toEqual(['HALT_W_STORE_SCHEMA'])
    const limiter = new RateLimiter({ store, policy, onStoreError: 'closed', warn: () => {} })
    expect(await limiter.consume({ user: '1' })).toMatchObject({ allowed: false, reason: 'store-error' })
    await limiter.close()
  })

  it('a dropped table is a coded error and a warning, until the schema runs again', async () => {
    const { store, schema } = await makeStore(database)
    await store.evaluate(ask)
    await database.run(`DROP TABLE ${schema}.counters`)
    await expect(store.evaluate(ask)).rejects.toMatchObject({
      code: 'HALT_E_STORE_SCHEMA',
      failure: 'misconfigured',
      reply: '42P01',
    })
    expect(await codesOf(store)).toEqual(['HALT_W_STORE_SCHEMA'])
    await database.run(schemaText({ schema }))
    expect(await store.evaluate(ask)).toMatchObject({ allowed: true })
  })

  it('a schema of an older version is a coded error and a warning', async () => {
    const { store, schema } = await makeStore(database)
    await database.run(`ALTER FUNCTION ${schema}.bucket_v3 RENAME TO bucket_v0;
      ALTER FUNCTION ${schema}.decide_v3 RENAME TO decide_v0`)
    await expect(store.evaluate(ask)).rejects.toMatchObject({ code: 'HALT_E_STORE_SCHEMA', reply: '42883' })
    expect(await codesOf(store)).toEqual(['HALT_W_STORE_SCHEMA'])
    const { store: other, schema: narrow } = await makeStore(database)
    await database.run(`ALTER TABLE ${narrow}.counters DROP COLUMN fresh_at`)
    await expect(other.evaluate(ask)).rejects.toMatchObject({ code: 'HALT_E_STORE_SCHEMA', reply: '42703' })
    expect(await codesOf(other)).toEqual(['HALT_W_STORE_SCHEMA'])
  })

  it('a read-only database is a coded error and a warning, and a probe fails', async () => {
    const { schema } = await makeStore(database)
    const { query } = await asRole(schema, '', 'ALTER ROLE @role SET default_transaction_read_only = on')
    const store = new PostgresStore({ query, schema })
    await expect(store.evaluate(ask)).rejects.toMatchObject({ code: 'HALT_E_STORE_READONLY', reply: '25006' })
    await expect(store.probe()).rejects.toMatchObject({ code: 'HALT_E_STORE_READONLY' })
    expect(await codesOf(store)).toEqual(['HALT_W_REPLICA'])
  })

  it('a missing permission is a coded error and a warning', async () => {
    const { schema } = await makeStore(database)
    const { query } = await asRole(schema, '', `REVOKE UPDATE, INSERT ON ${schema}.counters FROM @role`)
    const store = new PostgresStore({ query, schema })
    await expect(store.evaluate(ask)).rejects.toMatchObject({ code: 'HALT_E_STORE_PERMISSION' })
    const { query: stranger } = await asRole(schema, '', `REVOKE USAGE ON SCHEMA ${schema} FROM @role`)
    const refused = new PostgresStore({ query: stranger, schema })
    await expect(refused.evaluate(ask)).rejects.toMatchObject({ code: 'HALT_E_STORE_PERMISSION' })
    expect(await codesOf(refused)).toEqual(['HALT_W_PERMISSION'])
  })

  it('another isolation level is a warning, and concurrent checks never admit more than the limit', async () => {
    const { schema } = await makeStore(database)
    const after = "ALTER ROLE @role SET default_transaction_isolation = 'repeatable read'"
    const pools = [await asRole(schema, '', after), await asRole(schema, '', after)]
    const stores = pools.map(({ query }) => new PostgresStore({ query, schema }))
    expect(await codesOf(stores[0]!)).toEqual(['HALT_W_STORE_MISCONFIGURED'])
    const asked = Array.from({ length: 20 }, (_, i) => stores[i % 2]!.evaluate(ask))
    const results = await Promise.allSettled(asked)
    const admitted = results.filter(result => result.status === 'fulfilled' && result.value.allowed)
    expect(admitted.length).toBeLessThanOrEqual(5)
  })

  it('a query inside a transaction is a warning', async () => {
    const { schema } = await makeStore(database)
    const client = await database.pool.connect()
    await client.query('BEGIN')
    expect(await codesOf(new PostgresStore({ query: client, schema }))).toEqual([
      'HALT_W_STORE_MISCONFIGURED',
    ])
    await client.query('ROLLBACK')
    client.release()
  })

  it('wrong credentials and a missing connection are coded errors', async () => {
    const { schema } = await makeStore(database)
    const { query } = await asRole(schema, 'CONNECTION LIMIT 0')
    const store = new PostgresStore({ query, schema })
    await expect(store.evaluate(ask)).rejects.toMatchObject({
      code: 'HALT_E_STORE_UNAVAILABLE',
      reply: '53300',
    })
    const nobody = openPg({ connectionString: inject('postgresUrl').replace('postgres@', 'nobody_at_all@') })
    opened.push(nobody)
    const unknown = new PostgresStore({ query: nobody.query, schema })
    await expect(unknown.evaluate(ask)).rejects.toMatchObject({ code: 'HALT_E_STORE_AUTH' })
  })
})

describe('a lock that a transaction holds for long', () => {
  it('a long lock lets the deadline decide, and the check fails after a second without a charge', async () => {
    const { store, schema } = await makeStore(database)
    await store.evaluate(group(demand('user:1')))
    const holder = await database.pool.connect()
    await holder.query('BEGIN')
    await new PostgresStore({ query: holder, schema }).evaluate(ask)
    const limiter = new RateLimiter({ store, policy: { ...policy, limit: 5 }, warn: () => {} })
    await expect(store.evaluate(ask)).rejects.toMatchObject({ code: 'HALT_E_STORE_TIMEOUT', reply: '55P03' })
    await holder.query(`LOCK TABLE ${schema}.counters IN ACCESS EXCLUSIVE MODE`)
    // It resolves within the limiter's deadline, long before the lock is free.
    expect(await limiter.consume({ user: '1' })).toMatchObject({ allowed: true, degraded: 'local' })
    await holder.query('ROLLBACK')
    holder.release()
    expect(await store.evaluate(ask)).toMatchObject({ allowed: true })
    await limiter.close()
  })
})

describe('a server and its hot standby', () => {
  it('a standby refuses to count, counts after a promotion, and policies decide once both stop', async () => {
    const primary = await startPostgres()
    const pool = openPg({ connectionString: primary.url })
    const { store, schema } = await makeStore(pool)
    expect(await store.evaluate(ask)).toMatchObject({ allowed: true })
    const standby = await startPostgres([], { standbyOf: primary })
    const other = openPg({ connectionString: standby.url })
    try {
      const copy = new PostgresStore({ query: other.query, schema })
      const limiter = new RateLimiter({ store: copy, policy, onStoreError: 'closed', warn: () => {} })
      await expect(copy.evaluate(ask)).rejects.toMatchObject({
        code: 'HALT_E_STORE_READONLY',
        reply: '25006',
      })
      await expect(copy.probe()).rejects.toMatchObject({ code: 'HALT_E_STORE_READONLY' })
      expect(await codesOf(copy)).toEqual(['HALT_W_REPLICA'])
      expect(await limiter.consume({ user: '1' })).toMatchObject({ allowed: false, reason: 'store-error' })
      await other.run('SELECT pg_promote()')
      // It has the charge of the primary.
      expect((await copy.evaluate(ask)).states[0]![2]).toBeGreaterThan(UNIT)
      await limiter.close()

      await primary.stop()
      await expect(store.evaluate(ask)).rejects.toMatchObject({ failure: 'unavailable' })
      const local = new RateLimiter({ store, policy, warn: () => {} })
      expect(await local.consume({ user: '1' })).toMatchObject({ allowed: true, degraded: 'local' })
      expect(await codesOf(store)).toEqual(['HALT_W_STORE_UNAVAILABLE'])
      await local.close()
    } finally {
      await Promise.all([pool.close(), other.close()])
      await Promise.all([primary.stop(), standby.stop()])
    }
  })
})
