import { StoreMisread } from '@halt/core/store'
import { expect, it } from 'vitest'

import { MysqlStore } from '../src/index.ts'
import { toStoreError } from '../src/store-error.ts'

it.each([
  [1040, 'HALT_E_STORE_UNAVAILABLE'],
  [4031, 'HALT_E_STORE_UNAVAILABLE'],
  [1130, 'HALT_E_STORE_AUTH'],
  [1114, 'HALT_E_STORE_OOM'],
  [1064, 'HALT_E_STORE_SCRIPT'],
])("the server's error %i has the code %s", (errno, code) => {
  const error = Object.assign(new Error('no'), { errno, sqlState: 'HY000', sql: 'select 1' })
  const failed = toStoreError(error)
  expect(failed).toMatchObject({ code, message: 'no', reply: `${errno}` })
  expect(failed).not.toHaveProperty('cause')
})

it('a pool that returns no rows is told as such, not as a database that is away', async () => {
  const connection = { query: async () => [{ rows: [] }], release: () => {}, destroy: () => {} }
  const store = new MysqlStore({ pool: { getConnection: async () => connection } as never })
  const told = {
    failure: 'script',
    code: 'HALT_E_STORE_SCRIPT',
    fix: expect.stringContaining('mysql2'),
    unsent: true,
  }
  await expect(store.evaluate({ demands: [] })).rejects.toMatchObject(told)
  expect(toStoreError(new StoreMisread('odd', 'Do this.'))).toMatchObject({ fix: 'Do this.' })
})
