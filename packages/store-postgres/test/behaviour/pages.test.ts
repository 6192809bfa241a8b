// Runs the examples of the README and of docs/postgres.md, on the tests' server.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest'

import { differencesIn, examplesOf, runPageExample } from '../../../../tools/example.ts'
import { openPg } from '../databases.ts'

const database = openPg()
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(fileURLToPath(new URL('.pages-', import.meta.url)))
})
beforeEach(() => database.run('DROP SCHEMA IF EXISTS halt CASCADE'))
afterAll(async () => {
  await rm(folder, { recursive: true })
  await database.close()
})

it.each([
  ['../../README.md', 'pg.Pool'],
  ['../../../../docs/postgres.md', 'drizzle'],
])('the example of %s with %s prints its lines', async (page, client) => {
  const text = await readFile(new URL(page, import.meta.url), 'utf8')
  const given = examplesOf(text).find(code => code.includes(client)) ?? ''
  const code = given
    .replaceAll('postgres://postgres@127.0.0.1:5432/postgres', inject('postgresUrl'))
    // A busy machine may not answer within the default of 100 ms.
    .replaceAll('new RateLimiter({', "new RateLimiter({ storeTimeout: '10s',")
  expect(code).not.toBe(given)
  const { printed } = await runPageExample(folder, `${page}-${client}`.replaceAll(/\W+/g, '-'), code)
  expect(differencesIn(code, printed)).toEqual([])
})
