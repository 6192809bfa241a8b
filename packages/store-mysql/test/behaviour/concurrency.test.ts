import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { afterAll, expect, inject, it } from 'vitest'

import { processScript } from '../../../../tools/process-script.ts'
import { MysqlStore } from '../../src/index.ts'
import { open, storeOn } from '../databases.ts'
import { DAY, demand, group } from '../groups.ts'

const pool = open()
afterAll(() => pool.end())

interface Told {
  readonly granted: Readonly<Record<string, number>>
  readonly failed: number
}

it('three processes that ask for pairs of counters beside a sweeper grant exactly the limits, without a deadlock', async () => {
  const { store, table } = await storeOn(pool)
  const script = await processScript(new URL('stress-process.ts', import.meta.url))
  let isOver = false
  const sweeping = (async () => {
    while (!isOver) await store.sweep()
  })()
  try {
    const run = async (how: 'single' | 'multiple'): Promise<Told> => {
      // Twenty keys of 100 units each: more than enough asks for all.
      const args = [script.path, inject('mysqlUrl'), table, '20', '2000', '12', how]
      const { stdout, stderr } = await promisify(execFile)(process.execPath, args)
      expect(stderr).toBe('')
      return JSON.parse(stdout) as Told
    }
    const told = await Promise.all([run('single'), run('multiple'), run('multiple')])
    expect(told.map(({ failed }) => failed)).toEqual([0, 0, 0])
    const sums = Array.from({ length: 20 }, (_, i) =>
      told.reduce((sum, { granted }) => sum + (granted[`client:${i}`] ?? 0), 0),
    )
    expect(Math.max(...sums)).toBe(100)
    for (const [i, sum] of sums.entries()) {
      const { states } = await store.evaluate(group(demand(`client:${i}`, DAY)))
      expect(states[0]?.[2]).toBe(Math.min(100, sum + 1))
    }
  } finally {
    isOver = true
    await sweeping
    await script.remove()
  }
})

it('groups that name the same counters in opposite orders charge all or nothing', async () => {
  const { table } = await storeOn(pool)
  const stores = Array.from({ length: 8 }, () => new MysqlStore({ pool, table }))
  const names = ['a', 'b', 'c'].map(name => demand(name))
  const orders = [names, names.toReversed()]
  const asked = stores.flatMap((store, i) =>
    Array.from({ length: 30 }, (_, j) => store.evaluate(group(...orders[(i + j) % 2]!))),
  )
  expect((await Promise.all(asked)).filter(({ allowed }) => allowed)).toHaveLength(100)
  const { states } = await stores[0]!.evaluate(group(...names))
  expect(states.map(state => state[2])).toEqual([100, 100, 100])
})

it('keys that differ in case, accents or trailing spaces have different counters', async () => {
  const { store } = await storeOn(pool)
  const one = { ...DAY, limit: 1, capacity: 1 }
  const subjects = [
    'Bob',
    'bob',
    'Bób',
    'bob ',
    "bob'",
    'bob\\',
    '#bob',
    'b\uD800',
    'b\uDC00',
    'x'.repeat(400),
  ]
  for (const subject of [...subjects, `${'x'.repeat(399)}y`])
    expect(await store.evaluate(group(demand(subject, one))), subject).toMatchObject({ allowed: true })
  for (const subject of subjects)
    expect(await store.evaluate(group(demand(subject, one))), subject).toMatchObject({ allowed: false })
})
