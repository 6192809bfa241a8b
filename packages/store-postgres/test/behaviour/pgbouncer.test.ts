// PgBouncer in transaction mode: each statement may run on another connection of the server.
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

import { butSlow } from '../../../../tools/but-slow.ts'
import { type RunningPgBouncer, startPgBouncer } from '../../../../tools/pgbouncer.ts'
import { PostgresStore, type QuerySource } from '../../src/index.ts'
import { makeStore, openPg } from '../databases.ts'
import { bucket, demand, group } from '../rules.ts'

const database = openPg({ max: 1 })
const opened: { close: () => Promise<unknown> }[] = [database]
let bouncer: RunningPgBouncer
beforeAll(async () => {
  bouncer = await startPgBouncer(inject('postgresUrl'), 3)
})
afterAll(async () => {
  await Promise.all(opened.map(({ close }) => close()))
  await bouncer.stop()
})

function openBehind(max: number, connectionString = bouncer.url): ReturnType<typeof openPg> {
  const pool = openPg({ connectionString, max })
  opened.push(pool)
  return pool
}

/** The `sql` of postgres.js behind the bouncer. */
function openSql(max: number): QuerySource {
  const sql = postgres(bouncer.url, { max, onnotice: () => {} })
  opened.push({ close: () => sql.end() })
  return sql
}

describe('behind PgBouncer in transaction mode', () => {
  it('pg and postgres.js are together admitted exactly the limit', async () => {
    const { schema } = await makeStore(database)
    const sources = [openBehind(3).query, openSql(3), openBehind(3).query, openSql(3)]
    const stores = sources.map(query => new PostgresStore({ query, schema }))
    // Longer than a slow test, so that nothing is paid back.
    const rule = bucket({ unit: 86_400e6, capacity: 50, limit: 50 })
    const asked = stores.flatMap(store =>
      Array.from({ length: 40 }, () => store.evaluate(group(demand('user:1', rule)))),
    )
    const admitted = (await Promise.all(asked)).filter(({ allowed }) => allowed)
    expect(admitted).toHaveLength(50)
  })

  it('the database is set up well, and the store forgets, probes and keeps documents', async () => {
    const { schema } = await makeStore(database)
    const store = new PostgresStore({ query: openBehind(2).query, schema })
    expect(butSlow(await store.inspect())).toEqual([])
    await store.evaluate(group(demand('user:1')))
    expect(await store.forget([{ subject: 'user:1', counter: 'api:t' }])).toBe(1)
    await store.probe()
    const document = store.document('control')
    await document.write('text', '0')
    expect((await document.read())?.text).toBe('text')
  })

  it('a query with named prepared statements is a coded error', async () => {
    const { schema } = await makeStore(database)
    const evaluate = (): Promise<unknown> => {
      const { pool } = openBehind(1, bouncer.narrowUrl)
      const query = (text: string, values: (string | null)[]): Promise<unknown> =>
        pool.query({ name: 'halt', text, values })
      return new PostgresStore({ query, schema }).evaluate(group(demand('user:1')))
    }
    expect(await evaluate()).toMatchObject({ allowed: true })
    // The only connection to the server has the statement of the first client.
    await expect(evaluate()).rejects.toMatchObject({ code: 'HALT_E_STORE_POOLER', failure: 'misconfigured' })
  })
})
