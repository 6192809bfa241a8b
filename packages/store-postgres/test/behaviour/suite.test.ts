import { storeSuite } from '@halt/conformance'
import { afterAll, beforeAll } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { only, whole } from '../../../../tools/parts-of-suite.ts'
import { unique } from '../../../../tools/unique.ts'
import { PostgresStore, schema } from '../../src/index.ts'
import { type Database, openPg, openPglite, openPostgresJs } from '../databases.ts'
import { testSweeps } from './sweeps.ts'

const histories = isFull
  ? ({ pg: [2, 150], 'postgres.js': [1, 100], PGlite: [2, 100] } as const)
  : ({ pg: [1, 150], 'postgres.js': [1, 50], PGlite: [1, 50] } as const)
let made = 0
/** The options of each store, for others over the same counters. */
const settings = new WeakMap<object, ConstructorParameters<typeof PostgresStore>[0]>()

/** In the short form pg plays the whole suite, and the others, which send the same statements to the same kind of server, play some parts. */
const some = only('charges token-bucket', 'charges concurrency', 'documents', 'groups', 'stores')

for (const database of [openPg({ max: 1 }), openPostgresJs(), openPglite()]) {
  const name = unique()
  // In a hook, because nothing ends a file whose own code waits for ever.
  beforeAll(() => database.run(schema({ schema: name })))
  afterAll(() => database.close())
  run(database, name)
  if (database.name === 'PGlite') testSweeps(database)
}

function run({ name, query }: Database, schemaName: string): void {
  const [count, steps] = histories[name as keyof typeof histories]
  storeSuite(name === 'pg' ? whole : some, {
    name: `PostgresStore on ${name}`,
    make(clock) {
      // A prefix of its own, so that tests share no keys.
      const options = { query, clock, schema: schemaName, prefix: `s${++made}:` }
      const store = new PostgresStore(options)
      settings.set(store, options)
      return store
    },
    another: store => new PostgresStore(settings.get(store)!),
    histories: count,
    steps,
    stepsBack: true,
    marks: true,
    instances: isFull || name === 'pg',
  })
}
