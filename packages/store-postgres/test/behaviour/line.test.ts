// Random histories of callers that wait in one line, on a real PostgreSQL by the clock of the world, and judged as those in memory.
import { afterAll, beforeAll, it } from 'vitest'

import { chosenKinds, playHistories } from '../../../core/test/line/histories.ts'
import { realServer } from '../../../core/test/line/server.ts'
import { loadCore, unloadCore } from '../../../core/test/line/virtual-core.ts'
import { makeStore, openPg } from '../databases.ts'
import { PostgresStore } from '../../src/index.ts'
import { unique } from '../../../../tools/unique.ts'

const database = openPg({ max: 1 })
let schema = ''
// A store with a clock never sweeps, so all histories share a schema, and each has a prefix.
const server = realServer(clock => {
  return new PostgresStore({ query: database.query, schema, prefix: `${unique()}:`, clock })
})

beforeAll(async () => {
  ;({ schema } = await makeStore(database))
  await loadCore(() => import('@halt/control'))
})
afterAll(async () => {
  unloadCore()
  await database.run(`DROP SCHEMA "${schema}" CASCADE`)
  await database.close()
})

for (const kind of chosenKinds)
  it(`the line of one to four processes on PostgreSQL holds while ${kind.name}`, () =>
    playHistories(kind, { server, runs: 1, size: 50 }))
