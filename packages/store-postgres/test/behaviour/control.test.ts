// Operators act at once from several processes, and the table of documents is lost.
import { Control } from '@halt/control'
import { afterAll, afterEach, expect, it } from 'vitest'

import { PostgresStore } from '../../src/index.ts'
import { makeStore, openPg } from '../databases.ts'

const database = openPg({ max: 4 })
const clients = Array.from({ length: 4 }, () => openPg({ max: 2 }))
afterAll(() => Promise.all([database, ...clients].map(({ close }) => close())))

const open: Control[] = []
afterEach(() => {
  for (const control of open.splice(0)) control.close()
})

/** Four processes on one schema, each with connections of its own. */
async function processes() {
  const { schema } = await makeStore(database)
  const codes: string[] = []
  const controls = clients.map(
    ({ query }) =>
      new Control({
        store: new PostgresStore({ query, schema }),
        warn: ({ code }) => void codes.push(code),
      }),
  )
  open.push(...controls)
  return { schema, codes, controls: controls as [Control, Control, Control, Control] }
}

it('100 blocks that four processes make at once are all there', async () => {
  const { controls } = await processes()
  const users = Array.from({ length: 25 }, (_, i) => i)
  await Promise.all(controls.flatMap((control, p) => users.map(i => control.block({ user: `u${p}-${i}` }))))
  expect(await controls[0].entries()).toHaveLength(100)
  expect(await controls[1].history()).toHaveLength(100)
})

it('a table of documents that comes back empty gets the blocks back from the processes', async () => {
  const { schema, codes, controls } = await processes()
  const [a, b] = controls
  await Promise.all([a.block({ user: 'mallory' }), a.block({ user: 'eve' })])
  for (const control of controls) await control.refresh()
  await database.run(`DELETE FROM ${schema}.documents`)
  expect(await a.unblock({ user: 'eve' })).toBe(true)
  expect((await b.entries()).map(({ target }) => target)).toEqual(['user:mallory'])
  expect(codes).toContain('HALT_W_CONTROL_LOST')
})
