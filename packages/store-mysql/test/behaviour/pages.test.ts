// Runs the example of the README, and what docs/mysql.md says of Drizzle, on the tests' server.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

import { presets, RateLimiter } from '@halt/core'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/mysql2'
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest'

import { differencesIn, examplesOf, runPageExample } from '../../../../tools/example.ts'
import { MysqlStore } from '../../src/index.ts'
import { open } from '../databases.ts'

const pool = open()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(fileURLToPath(new URL('.pages-', import.meta.url)))
})
beforeEach(() => pool.query('drop table if exists halt_counters'))
afterAll(async () => {
  await rm(folder, { recursive: true })
  await pool.end()
})

it('the example of the README prints its lines', async () => {
  const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [given = ''] = examplesOf(text)
  const code = given
    .replaceAll('mysql://root@127.0.0.1:3306/halt', inject('mysqlUrl'))
    // A busy machine may not answer within the default of 100 ms.
    .replaceAll('new RateLimiter({', "new RateLimiter({ storeTimeout: '10s',")
  expect(code).not.toBe(given)
  const { printed } = await runPageExample(folder, 'example', code)
  expect(differencesIn(code, printed)).toEqual([])
})

it('a store counts over the pool of Drizzle, which makes its table', async () => {
  const db = drizzle(inject('mysqlUrl'))
  const store = new MysqlStore({ pool: db.$client })
  await db.execute(sql.raw(store.schema()))
  const limiter = new RateLimiter({ store, policy: presets.PUBLIC_API, storeTimeout: '10s' })
  const { remaining, degraded } = await limiter.consume({ user: '42' })
  expect([remaining, degraded]).toEqual([119, false])
  await limiter.close()
  db.$client.end()
})
