import { afterAll, expect, it } from 'vitest'

import { makeStore, openPg } from '../databases.ts'
import { testSweeps } from './sweeps.ts'

const database = openPg({ max: 4 })
afterAll(() => database.close())

testSweeps(database)

it('a sweep leaves a counter that a transaction holds, and does not wait for it', async () => {
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
