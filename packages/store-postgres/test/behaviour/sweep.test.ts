import { afterAll, describe, expect, it } from 'vitest'

import { makeStore, openPg, openPglite } from '../databases.ts'
import { demand, group } from '../rules.ts'

const databases = [openPg({ max: 4 }), openPglite()]
afterAll(() => Promise.all(databases.map(({ close }) => close())))

describe.each(databases)('on $name', database => {
  const count = async (schema: string): Promise<number> => {
    const source = database.query as { query(text: string): Promise<{ rows: { n: number }[] }> }
    const { rows } = await source.query(`SELECT count(*)::int AS n FROM ${schema}.counters`)
    return rows[0]!.n
  }
  const fill = (schema: string, rows: number): Promise<unknown> =>
    database.run(
      `INSERT INTO ${schema}.counters SELECT '|idle' || i || ' api:t', '{0,1,1,1,1}', 2 FROM generate_series(1, ${rows}) i`,
    )

  it('checks remove idle counters little by little, and keep those in use', async () => {
    const { store, schema } = await makeStore(database)
    await store.evaluate(group(demand('user:1')))
    await fill(schema, 5_000)
    for (let i = 0; i < 6; i++) {
      await Promise.all(Array.from({ length: 64 }, () => store.evaluate(group(demand('user:1')))))
    }
    expect(await count(schema)).toBe(1)
  })

  it('sweep() removes all idle counters and says how many', async () => {
    const { store, schema } = await makeStore(database)
    await store.evaluate(group(demand('user:1')))
    await fill(schema, 5_000)
    expect(await store.sweep()).toBe(5_000)
    expect(await count(schema)).toBe(1)
  })

  it('forget() removes counters and says how many existed', async () => {
    const { store, schema } = await makeStore(database)
    await store.evaluate(group(demand('user:1'), demand('user:2')))
    const counters = ['user:1', 'user:2', 'user:3'].map(subject => ({ subject, counter: 'api:t' }))
    expect(await store.forget(counters)).toBe(2)
    expect(await store.forget([])).toBe(0)
    expect(await count(schema)).toBe(0)
  })
})

it('a sweep leaves a counter that a transaction holds, and does not wait for it', async () => {
  const [database] = databases as [ReturnType<typeof openPg>]
  const { store, schema } = await makeStore(database)
  await database.run(
    `INSERT INTO ${schema}.counters VALUES ('|a x:t', '{0,1,1,1,1}', 2), ('|b x:t', '{0,1,1,1,1}', 2)`,
  )
  const holder = await database.pool.connect()
  await holder.query('BEGIN')
  await holder.query(`SELECT 1 FROM ${schema}.counters WHERE key = '|a x:t' FOR UPDATE`)
  expect(await store.sweep()).toBe(1)
  await holder.query('ROLLBACK')
  holder.release()
  expect(await store.sweep()).toBe(1)
})
