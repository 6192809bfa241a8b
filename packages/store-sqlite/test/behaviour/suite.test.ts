import { storeSuite } from '@halt/conformance'
import { afterAll, describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { SqliteStore } from '../../src/index.ts'
import { betterSqlite, Files, libsql } from '../drivers.ts'

const files = new Files()
afterAll(() => files.clear())

let made = 0

for (const driver of [betterSqlite, libsql]) {
  const database = files.open(files.path(), driver)
  storeSuite(
    { describe, expect, it },
    {
      name: `SqliteStore on ${driver.name}`,
      // A prefix of its own, so that tests share no keys.
      make: clock => new SqliteStore({ database, clock, prefix: `s${++made}_`, durability: 'none' }),
      histories: isFull ? 4 : 2,
      steps: isFull ? 500 : 200,
      stepsBack: true,
    },
  )
}
