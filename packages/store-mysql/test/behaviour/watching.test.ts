import { Control } from '@halt/control'
import { afterAll, expect, it } from 'vitest'

import { MysqlStore } from '../../src/index.ts'
import { open, storeOn } from '../databases.ts'
import { demand, group } from '../groups.ts'

const pool = open()
afterAll(() => pool.end())

it('the store counts the processes that share its table', async () => {
  const { store, table } = await storeOn(pool)
  const other = new MysqlStore({ pool, table })
  expect([store.instances(), other.instances()]).toEqual([1, 1])
  for (const one of [store, other]) await one.evaluate(group(demand('a')))
  await expect.poll(() => store.processes()).toBe(2)
  other.obeys()
  await other.document('control').read()
  await expect.poll(() => store.obeyingProcesses()).toBe(1)
  // A process that comes counts itself and those before it.
  const third = new MysqlStore({ pool, table })
  third.instances()
  await third.evaluate(group(demand('a')))
  await expect.poll(() => third.instances()).toBe(3)
  // Those of another table do not count.
  expect(await (await storeOn(pool)).store.processes()).toBe(0)
})

it('100 blocks that four processes make at once are all there', async () => {
  const { store, table } = await storeOn(pool)
  const controls = [store, ...Array.from({ length: 3 }, () => new MysqlStore({ pool, table }))].map(
    one => new Control({ store: one, warn: () => {} }),
  )
  const users = Array.from({ length: 25 }, (_, i) => i)
  await Promise.all(controls.flatMap((control, p) => users.map(i => control.block({ user: `u${p}-${i}` }))))
  expect(await controls[0]!.entries()).toHaveLength(100)
  for (const control of controls) control.close()
})
