import { afterAll, expect, it } from 'vitest'

import { open, storeOn } from '../databases.ts'
import { DAY, demand, group } from '../groups.ts'

const pool = open()
afterAll(() => pool.end())

const SHORT = { ...DAY, counter: 'short:f', window: 1e6, slice: 1e6 }
const count = async (table: string, where = 'true'): Promise<number> => {
  const [rows] = await pool.query(`select count(*) as n from ${table} where ${where}`)
  return (rows as { n: number }[])[0]?.n ?? 0
}

it('sweep() removes the rows of ended and of refused checks, and no other', async () => {
  const { store, table } = await storeOn(pool)
  const most = Array.from({ length: 1500 }, (_, i) => `('old ${i}', '0 1 1', ${i})`)
  await pool.query(`insert into ${table} (k, v, e) values ${most.join(', ')}`)
  await store.evaluate(group(demand('kept')))
  // Its row was made to be locked.
  await store.evaluate(group({ ...demand('refused', { ...DAY, limit: 1, capacity: 1 }), cost: 2 }))
  expect(await count(table)).toBe(1502)
  expect(await store.sweep()).toBe(1501)
  expect(await count(table)).toBe(1)
  expect((await store.evaluate(group(demand('kept')))).states[0]?.[2]).toBe(2)
})

it('a sweep leaves out a row that somebody else has locked', async () => {
  const { store, table } = await storeOn(pool)
  await pool.query(`insert into ${table} (k, v, e) values ('a b', '0 1 1', 1), ('c d', '0 1 1', 1)`)
  const other = await pool.getConnection()
  await other.query('begin')
  await other.query(`select * from ${table} where k = 'a b' for update`)
  expect(await store.sweep()).toBe(1)
  await other.query('rollback')
  other.release()
  expect(await store.sweep()).toBe(1)
})

it('the table stays bounded while checks make new rows', async () => {
  const { store, table } = await storeOn(pool)
  await pool.query(
    `insert into ${table} (k, v, e) values ${Array.from({ length: 2000 }, (_, i) => `('old ${i}', '0 1 1', 1)`).join(', ')}`,
  )
  let asked = 0
  await expect
    .poll(async () => {
      await Promise.all(
        Array.from({ length: 100 }, () => store.evaluate(group(demand(`new${asked++}`, SHORT)))),
      )
      return count(table, "k like 'old%'")
    })
    .toBe(0)
  await expect
    .poll(async () => {
      await Promise.all(
        Array.from({ length: 100 }, () => store.evaluate(group(demand(`new${asked++}`, SHORT)))),
      )
      return (await count(table)) < asked / 2
    })
    .toBe(true)
  await store.close()
})

it('a store with a clock of its own sweeps only when it is told to', async () => {
  const { store, table } = await storeOn(pool, { clock: () => 1_000 })
  for (let i = 0; i < 3; i++)
    await store.evaluate(group(...Array.from({ length: 150 }, (_, j) => demand(`${i}-${j}`, SHORT))))
  await store.close()
  expect(await count(table)).toBe(450)
})
