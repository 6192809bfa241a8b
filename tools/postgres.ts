// Vitest's global set-up of tests that need PostgreSQL: starts one server for all test files.
import type { TestProject } from 'vitest/node'
import { startPostgres } from './postgres-server.mjs'

// A test's data may be lost with the machine.
const FAST = ['fsync=off']

/** Provides `postgresUrl`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['POSTGRES_URL']
  if (given) {
    project.provide('postgresUrl', given)
    return async () => {}
  }
  const server = await startPostgres(FAST)
  project.provide('postgresUrl', server.url)
  return () => server.stop()
}
