import { describe, expect, it } from 'vitest'

import { MysqlStore } from '../src/index.ts'

const pool = { getConnection: () => Promise.reject(new Error('never asked')) }

describe('MysqlStore', () => {
  it.each([
    undefined,
    null,
    {},
    { pool: 'mysql://localhost/test' },
    { pool: { query: async () => [] } },
    { pool, table: 'a b' },
    { pool, table: 'a`; drop table b' },
    { pool, table: '' },
    { pool, clock: Date.now() },
    { pool, client: {} },
  ])('MysqlStore refuses the options %j', options => {
    expect(() => new MysqlStore(options as never)).toThrowError(
      expect.objectContaining({ code: 'HALT_E_STORE_OPTION' }),
    )
  })

  it('MysqlStore takes a pool with callbacks by its pool with promises', async () => {
    const callbacks = { getConnection: () => expect.unreachable(), promise: () => pool }
    await expect(new MysqlStore({ pool: callbacks as never }).probe()).rejects.toThrowError('never asked')
  })

  it('a clock that gives no instant is a misconfiguration', async () => {
    const connection = { query: async () => [[[null, null, 0]]], release: () => {}, destroy: () => {} }
    const given = { getConnection: async () => connection } as never
    const store = new MysqlStore({ pool: given, clock: () => Number.NaN })
    await expect(store.evaluate({ demands: [] })).rejects.toMatchObject({ failure: 'misconfigured' })
  })

  it('schema() names the table of the store', () => {
    expect(new MysqlStore({ pool, table: 'Limits_2' }).schema()).toContain('`Limits_2`')
  })
})
