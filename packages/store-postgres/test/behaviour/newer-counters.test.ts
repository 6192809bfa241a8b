import { type Group, Mode, type Rule } from '@halt/core/store'
import { afterAll, expect, it } from 'vitest'

import { makeStore, openPg } from '../databases.ts'
import { bucket, demand, group } from '../rules.ts'

const database = openPg({ max: 1 })
afterAll(() => database.close())

const NOW = 1_795_500_000_000_000
const rule = bucket()
const quota: Rule = bucket({ code: 'q', counter: 'api:q' })
const { unit, rate } = rule
const line = [0, NOW, 9 * unit, unit, rate, 1, NOW, 4, 0, NOW + 9e9, 0]
const error = { code: 'HALT_E_STORE_SCRIPT', failure: 'script', fix: expect.stringContaining('Update Halt') }

it.each([
  ['a bucket with another part', rule, line.with(5, 3)],
  ['a bucket with half a hole', rule, [...line, 7]],
  ['a bucket with too few numbers', rule, line.slice(0, 9)],
  ['a quota with half a hold', quota, [0, NOW + 9e6, 1, 0, NOW + 5e6, 3, NOW + 6e6]],
])('%s is an error for its group alone, and stays as it is', async (_name, own, state) => {
  const { store, schema } = await makeStore(database, { clock: () => NOW / 1000 })
  await database.run(
    `INSERT INTO ${schema}.counters VALUES ('|a ${own.counter}', '{${state.join(',')}}', ${NOW + 9e9})`,
  )
  const groups: Group[] = [
    group(demand('a', own)),
    group(demand('a', own, { mode: Mode.PEEK }), demand('b')),
    group(demand('c')),
  ]
  await expect(store.evaluate(groups[0]!)).rejects.toMatchObject(error)
  const found = await Promise.all(groups.map(each => store.evaluate(each).catch((thrown: unknown) => thrown)))
  expect(found).toMatchObject([error, error, { allowed: true }])
  const { rows } = await database.pool.query<{ key: string; state: number[] }>(
    `SELECT key, state FROM ${schema}.counters ORDER BY key`,
  )
  expect(rows.map(({ key }) => key)).toEqual([`|a ${own.counter}`, '|c api:t'])
  expect(rows[0]?.state).toEqual(state)
})

it('a line believes the clock of the server that stepped back', async () => {
  const { store, schema } = await makeStore(database)
  const { now } = await store.evaluate(group(demand('b', rule, { mode: Mode.PEEK })))
  const ahead = now + 60e6
  const state = [0, ahead, 30 * unit, unit, rate, 1, ahead, 20, 0, ahead + 60e6, 0]
  await database.run(
    `INSERT INTO ${schema}.counters VALUES ('|a api:t', '{${state.join(',')}}', ${ahead + 9e9})`,
  )
  const looked = await store.evaluate(group(demand('a', rule, { mode: Mode.LOOK, cost: 0 })))
  expect(looked.states[0]?.slice(0, 5)).toEqual([0, looked.now, 30 * unit, unit, rate])
  // The commonest call, which has its own function.
  await database.run(`UPDATE ${schema}.counters SET state[2] = ${ahead}, state[3] = ${unit}`)
  const charged = await store.evaluate(group(demand('a')))
  expect(charged.states[0]?.slice(0, 3)).toEqual([0, charged.now, 2 * unit])
})
