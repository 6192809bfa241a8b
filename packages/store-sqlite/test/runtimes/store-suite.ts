// Runs the store suite on the SQLite that this runtime has inside: `bun:sqlite` in Bun, `node:sqlite` in Node and Deno.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

import { storeSuite } from '../../../conformance/src/index.ts'
import { collectTests } from '../../../conformance/test/collected.ts'
import { printReport } from '../../../conformance/test/run-suite.ts'
import { SqliteStore } from '../../src/index.ts'
import type { Database } from '../drivers.ts'
import { newFolder } from '../files.ts'

const isBun = 'Bun' in globalThis
const { Database: Bun, DatabaseSync } = (await import(isBun ? 'bun:sqlite' : 'node:sqlite')) as Record<
  'Database' | 'DatabaseSync',
  new (path: string) => Database
>
const folder = newFolder()
const path = join(folder, 'limits.db')
const database = isBun ? new Bun(path) : new DatabaseSync(path)

let made = 0
const tests = collectTests(runner =>
  storeSuite(runner, {
    name: `SqliteStore on ${isBun ? 'bun:sqlite' : 'node:sqlite'}`,
    make: clock => new SqliteStore({ database, clock, prefix: `s${++made}_`, durability: 'none' }),
    histories: 1,
    steps: 100,
    stepsBack: true,
  }),
)
await printReport(tests)
database.close()
rmSync(folder, { recursive: true })
process.exit()
