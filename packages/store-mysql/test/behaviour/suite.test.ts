import { storeSuite } from '@halt/conformance'
import mysql from 'mysql2'
import { afterAll, describe, expect, inject, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
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
afterAll(async () => {
  await callbacks.promise().end()
  await odd.end()
})

storeSuite(
  { describe, expect, it },
  {
    name: 'MysqlStore on mysql2',
    make: async clock => (await storeOn(odd, { clock })).store,
    histories: isFull ? 2 : 1,
    steps: 100,
  },
)

const runner: Parameters<typeof storeSuite>[0] = { describe, expect, it }
/** The pools differ in how a connection is got and in how statements travel, so the short form plays only some parts of the suite on the second. */
const some: typeof runner = {
  ...runner,
  describe: (title, body) =>
    /^(the store|charges|documents)/.test(title) ? runner.describe(title, body) : undefined,
}

storeSuite(isFull ? runner : some, {
  name: 'MysqlStore on a pool with callbacks and multipleStatements',
  make: async clock => (await storeOn(callbacks.promise(), { clock, pool: callbacks })).store,
  histories: 2,
  steps: 100,
})
