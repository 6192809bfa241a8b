import { afterAll, beforeAll, expect, inject, it } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { PostgresStore, schema } from '../../src/index.ts'
import { makeStore, openPg } from '../databases.ts'
import { bucket, demand, group } from '../rules.ts'

// Operators whose arguments fit the expressions of the functions better than those of PostgreSQL do.
const PLANTS = [
  ['||', 'bigint', 'text', 'text'],
  ['||', 'text', 'int', 'text'],
  ['||', 'text', 'bigint', 'text'],
  ['-', 'float8', 'bigint', 'float8'],
  ['+', 'float8', 'bigint', 'float8'],
  ['*', 'float8', 'int', 'float8'],
  ['<=', 'float8', 'int', 'boolean'],
  ['>', 'float8', 'int', 'boolean'],
  ['>=', 'float8', 'int', 'boolean'],
  ['/', 'bigint', 'int', 'bigint'],
]
const FUNCTIONS = [
  'format(text, name)',
  'format(text, name, name)',
  'greatest(float8, int)',
  'mod(float8, float8)',
]

const database = unique()
const admin = openPg({ max: 1 })
let victim: ReturnType<typeof openPg>
const at = (name: string): string => {
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  return url.href
}
beforeAll(async () => {
  // A database of its own, because what is planted would meet the other tests too.
  await admin.run(`CREATE DATABASE ${database}`)
  victim = openPg({ connectionString: at(database), max: 2 })
})
afterAll(async () => {
  await victim.close()
  await admin.run(`DROP DATABASE ${database}`)
  await admin.close()
})

it('a role that plants operators and functions in public gets none of its code run by the store', async () => {
  await victim.run(schema())
  const body = "LANGUAGE plpgsql AS $$ BEGIN RAISE 'planted code ran as %', current_user; END $$"
  for (const [i, [operator, left, right, result]] of PLANTS.entries())
    await victim.run(`CREATE FUNCTION public.p${i}(${left}, ${right}) RETURNS ${result} ${body};
      CREATE OPERATOR public.${operator} (LEFTARG = ${left}, RIGHTARG = ${right}, FUNCTION = public.p${i})`)
  for (const planted of FUNCTIONS) {
    const [name, rest] = planted.split('(') as [string, string]
    await victim.run(`CREATE FUNCTION public."${name}"(${rest} RETURNS text ${body}`)
  }
  await expect(victim.run("SELECT 1::bigint || ' '")).rejects.toThrow('planted code ran')

  const store = new PostgresStore({ query: victim.query })
  const sliding = bucket({ code: 's', counter: 'api:s', capacity: 5 })
  for (const rule of [bucket(), sliding, bucket({ cooldown: 1e6, counter: 'api:c' })])
    for (let i = 0; i < 7; i++)
      expect(await store.evaluate(group(demand('a', rule)))).toMatchObject({ allowed: i < 5 })
  expect(await store.evaluate(group(demand('b'), demand('b', sliding)))).toMatchObject({ allowed: true })
  await store.probe()
  store.instances()
  expect(await store.processes()).toBe(0)
  const document = store.document('control')
  await document.write('text', '0')
  expect(await document.read()).toMatchObject({ text: 'text' })
  expect(await store.forget([{ subject: 'a', counter: 'api:t' }])).toBe(1)
  expect(await store.sweep()).toBe(0)
  expect(JSON.stringify(await store.inspect())).not.toContain('planted')
})

it('every function that the store calls sets the search path, and functions that do not are a warning', async () => {
  const { store, schema: name } = await makeStore(admin)
  const called = ['decide', 'bucket', 'forget', 'sweep', 'pages', 'beat', 'probe', 'write'].map(
    each => `${each}_v3`,
  )
  const { rows } = await admin.pool.query<{ name: string }>(
    `SELECT proname AS name FROM pg_proc WHERE pronamespace = $1::regnamespace
      AND 'search_path=pg_catalog, pg_temp' = ANY (proconfig) ORDER BY 1`,
    [name],
  )
  expect(rows.map(row => row.name)).toEqual(called.sort())
  const codes = async (): Promise<string[]> => (await store.inspect()).map(({ code }) => code)
  expect(await codes()).not.toContain('HALT_W_STORE_SCHEMA')
  await admin.run(`ALTER FUNCTION ${name}.decide_v3 RESET search_path`)
  expect(await codes()).toContain('HALT_W_STORE_SCHEMA')
})
