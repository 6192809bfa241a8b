import { RateLimiter } from '@halt/core'
import { afterAll, expect, inject, it } from 'vitest'

import { butSlow } from '../../../../tools/but-slow.ts'
import { unique } from '../../../../tools/unique.ts'
import { PostgresStore } from '../../src/index.ts'
import { makeStore, openPg } from '../databases.ts'
import { demand, group } from '../rules.ts'

const database = openPg({ max: 2 })
const opened = [database]
afterAll(() => Promise.all(opened.map(({ close }) => close())))

/** A new role with the rights of a store on a schema, less what `change` takes, and the store of a pool that logs in as it. */
async function roleWithout(change: (schema: string, role: string) => string): Promise<{
  readonly store: PostgresStore
  readonly schema: string
  readonly role: string
  readonly warned: string[]
}> {
  const { schema } = await makeStore(database)
  // Capitals, so that statements have to quote the name.
  const role = `"R_${unique()}"`
  await database.run(`CREATE ROLE ${role} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA ${schema} TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role}; ${change(schema, role)}`)
  const url = new URL(inject('postgresUrl'))
  url.username = role.slice(1, -1)
  url.password = 'p'
  const pool = openPg({ connectionString: url.href, max: 2 })
  opened.push(pool)
  const warned: string[] = []
  const warn = ({ code, message }: { code: string; message: string }): void =>
    void warned.push(`${code} ${message}`)
  return { store: new PostgresStore({ query: pool.query, schema, warn }), schema, role, warned }
}

const LACKS = [
  'USAGE ON SCHEMA @',
  ...['counters', 'instances'].flatMap(table =>
    ['SELECT', 'INSERT', 'UPDATE', 'DELETE'].map(right => `${right} ON @.${table}`),
  ),
  'INSERT, SELECT ON @.documents',
]

it('ready() tells the statement that grants what a role lacks, whichever right it is', async () => {
  const { store, schema, role } = await roleWithout(() => '')
  const limiter = new RateLimiter({ store, policy: { name: 'api', limit: 5, window: 60 }, warn: () => {} })
  for (const lacking of LACKS.map(right => right.replace('@', schema))) {
    await database.run(`REVOKE ${lacking} FROM ${role}`)
    const statement = `GRANT ${lacking} TO ${role}`
    expect(butSlow(await limiter.ready())).toEqual([
      expect.objectContaining({ code: 'HALT_W_PERMISSION', fix: `Run ${statement}.` }),
    ])
    await database.run(statement)
  }
  expect(butSlow(await limiter.ready())).toEqual([])
  await limiter.close()
})

it('ready() of a role that may not run the functions tells the statement that grants it, and all others', async () => {
  const { store, schema, role } = await roleWithout(
    (name, who) =>
      `REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ${name} FROM PUBLIC; REVOKE DELETE ON ${name}.counters FROM ${who}`,
  )
  const [warning] = butSlow(await store.inspect())
  expect(warning?.fix).toBe(
    `Run GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${role}; GRANT DELETE ON ${schema}.counters TO ${role}.`,
  )
  await database.run(warning!.fix.slice('Run '.length, -1))
  expect(butSlow(await store.inspect())).toEqual([])
})

it('ready() writes nothing', async () => {
  const { store, schema } = await roleWithout(() => '')
  await store.inspect()
  const { rows } = await database.pool.query(
    `SELECT (SELECT count(*)::int FROM ${schema}.counters) + (SELECT count(*)::int FROM ${schema}.instances)
      + (SELECT count(*)::int FROM ${schema}.documents) AS rows`,
  )
  expect(rows).toEqual([{ rows: 0 }])
})

it.each(['INSERT', 'UPDATE', 'DELETE'])(
  'a probe of a role without %s fails, so that an outage goes on',
  async right => {
    const { store } = await roleWithout((name, who) => `REVOKE ${right} ON ${name}.counters FROM ${who}`)
    await expect(store.probe()).rejects.toMatchObject({ code: 'HALT_E_STORE_PERMISSION' })
  },
)

it('a process that cannot be counted warns once, because each then takes the whole limit in an outage', async () => {
  const { store, warned } = await roleWithout((name, who) => `REVOKE INSERT ON ${name}.instances FROM ${who}`)
  expect(store.instances()).toBe(1)
  for (let i = 0; i < 3; i++) await store.evaluate(group(demand(`user:${i}`)))
  await expect.poll(() => warned).toEqual([expect.stringMatching(/^HALT_W_PERMISSION .*count the processes/)])
})
