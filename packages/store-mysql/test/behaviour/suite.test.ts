import { storeSuite } from '@halt/conformance'
import mysql from 'mysql2'
import type { Pool } from 'mysql2/promise'
import { afterAll, inject } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { only, whole } from '../../../../tools/parts-of-suite.ts'
import { MysqlStore, type MysqlStoreOptions } from '../../src/index.ts'
import { open, storeOn } from '../databases.ts'

// One connection, because the suite expects calls to be decided in the order in which they come.
const callbacks = mysql.createPool({ uri: inject('mysqlUrl'), connectionLimit: 1, multipleStatements: true })
// Settings that change what a pool returns.
const odd = open({
  connectionLimit: 1,
  rowsAsArray: false,
  dateStrings: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  timezone: '+05:30',
  typeCast: false,
  charset: 'latin1_swedish_ci',
})
/** The pool of other processes. */
const others = open()
afterAll(async () => {
  await others.end()
  await callbacks.promise().end()
  await odd.end()
})

/** The options of each store, for others over the same counters. */
const settings = new WeakMap<object, MysqlStoreOptions>()

async function make(pool: Pool, options: Partial<MysqlStoreOptions>): Promise<MysqlStore> {
  const { store, table } = await storeOn(pool, options)
  settings.set(store, { pool, ...options, table })
  return store
}

/** A program that has locked all rows, and forgot its transaction. */
async function hold(table: string): Promise<() => Promise<void>> {
  const connection = await others.getConnection()
  await connection.query('start transaction')
  await connection.query(`select * from ${table} for update`)
  return async () => {
    await connection.query('rollback')
    connection.release()
  }
}

storeSuite(whole, {
  name: 'MysqlStore on mysql2',
  make: clock => make(odd, { clock }),
  another: store => new MysqlStore({ ...settings.get(store)!, pool: others }),
  hold: store => hold(settings.get(store)!.table!),
  histories: isFull ? 2 : 1,
  steps: isFull ? 100 : 60,
})

/** The pools differ in how a connection is got and in how statements travel, so the short form plays only some parts of the suite on the second. */
const some = only('charges token-bucket', 'charges concurrency', 'documents')

storeSuite(some, {
  name: 'MysqlStore on a pool with callbacks and multipleStatements',
  make: clock => make(callbacks.promise(), { clock, pool: callbacks }),
  another: store => new MysqlStore({ ...settings.get(store)!, pool: others }),
  histories: isFull ? 2 : 1,
  steps: 100,
})
