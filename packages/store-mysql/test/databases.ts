// Pools on the MariaDB of the tests, and stores with a table of their own.
import mysql, { type Pool, type PoolOptions } from 'mysql2/promise'
import { inject } from 'vitest'

import { unique } from '../../../tools/unique.ts'
import { MysqlStore, type MysqlStoreOptions } from '../src/index.ts'

/** Opens a pool of the kind that promises. */
export function open(options: PoolOptions = {}): Pool {
  return mysql.createPool({ uri: inject('mysqlUrl'), connectionLimit: 4, ...options })
}

/** Makes a store with a new table. */
export async function storeOn(
  pool: Pool,
  options: Partial<MysqlStoreOptions> = {},
): Promise<{ readonly store: MysqlStore; readonly table: string }> {
  const table = unique()
  const store = new MysqlStore({ pool, table, ...options })
  await pool.query(store.schema())
  return { store, table }
}
