import { storeSuite } from '@halt/conformance'
import { afterAll } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { only, whole } from '../../../../tools/parts-of-suite.ts'
import { SqliteStore, type SqliteStoreOptions } from '../../src/index.ts'
import { betterSqlite, Files, libsql } from '../drivers.ts'

const files = new Files()
afterAll(() => files.clear())

let made = 0
/** The options of each store, for others over the same counters. */
const settings = new WeakMap<object, SqliteStoreOptions>()

/** In the short form, what another driver, or checks of one turn, could change. */
const some = only('groups', 'terms', 'random')
for (const driver of isFull ? [betterSqlite, libsql] : [betterSqlite]) {
  const path = files.path()
  const database = files.open(path, driver)
  storeSuite(driver === betterSqlite ? whole : some, {
    name: `SqliteStore on ${driver.name}`,
    make(clock) {
      // A prefix of its own, so that tests share no keys.
      const options = { database, clock, prefix: `s${++made}_`, durability: 'none' } as const
      const store = new SqliteStore(options)
      settings.set(store, options)
      return store
    },
    another: store => new SqliteStore({ ...settings.get(store)!, database: files.open(path, driver) }),
    async hold() {
      const other = files.open(path, driver)
      other.exec('begin immediate')
      return async () => void other.exec('rollback')
    },
    histories: isFull ? 4 : 2,
    steps: isFull ? 500 : 200,
    stepsBack: true,
  })
}

const shared = files.open()
storeSuite(some, {
  name: 'SqliteStore that shares commits',
  make(clock) {
    const store = new SqliteStore({ database: shared, clock, prefix: `s${++made}_`, durability: 'power' })
    // Without the disk, which has no part in a decision.
    shared.exec('pragma synchronous = off')
    return store
  },
  histories: 1,
  steps: 100,
  stepsBack: true,
})
