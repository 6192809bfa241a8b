// Runs the store suite, and the faults that drivers tell, on the SQLite that this runtime has inside: `bun:sqlite` in Bun, `node:sqlite` in Node and Deno.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { storeSuite } from '../../../conformance/src/index.ts'
import { collectTests } from '../../../conformance/test/collected.ts'
import { printReport } from '../../../conformance/test/run-suite.ts'
import { SqliteStore } from '../../src/index.ts'
import { testDriverFaults } from '../driver-faults.ts'
import type { Database, Driver } from '../drivers.ts'
import { newFolder } from '../files.ts'

const isBun = 'Bun' in globalThis
const { Database: Bun, DatabaseSync } = (await import(isBun ? 'bun:sqlite' : 'node:sqlite')) as Record<
  'Database' | 'DatabaseSync',
  new (path: string) => Database
>
const driver: Driver = {
  name: isBun ? 'bun:sqlite' : 'node:sqlite',
  open: path => (isBun ? new Bun(path) : new DatabaseSync(path)),
}
const folder = newFolder()
const database = driver.open(join(folder, 'limits.db'))

let made = 0
const tests = collectTests(runner =>
  storeSuite(runner, {
    name: `SqliteStore on ${driver.name}`,
    make: clock => new SqliteStore({ database, clock, prefix: `s${++made}_`, durability: 'none' }),
    histories: 1,
    steps: 100,
    stepsBack: true,
  }),
)
testDriverFaults(
  (name, body) => tests.set(name, body),
  driver,
  () => join(folder, `fault-${++made}.db`),
)
await printReport(tests)
database.close()
rmSync(folder, { recursive: true })
process.exit()
