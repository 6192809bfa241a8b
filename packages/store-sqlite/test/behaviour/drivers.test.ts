import { afterAll, it } from 'vitest'

import { testDriverFaults } from '../driver-faults.ts'
import { betterSqlite, Files, libsql } from '../drivers.ts'

const files = new Files()
afterAll(() => files.clear())

for (const driver of [betterSqlite, libsql]) testDriverFaults(it, driver, () => files.path())
