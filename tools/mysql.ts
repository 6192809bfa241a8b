// Vitest's global set-up of tests that need MySQL: starts one MariaDB for all test files.
import type { TestProject } from 'vitest/node'
import { startMariadb } from './mariadb-server.mjs'

// A test's data may be lost with the machine.
const FAST = ['--innodb-flush-log-at-trx-commit=0', '--innodb-flush-method=nosync']

/** Provides `mysqlUrl`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['MYSQL_URL']
  if (given) {
    project.provide('mysqlUrl', given)
    return async () => {}
  }
  const server = await startMariadb(FAST)
  project.provide('mysqlUrl', server.url)
  return () => server.stop()
}
