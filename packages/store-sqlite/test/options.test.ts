import Better from 'better-sqlite3'
import { afterEach, expect, it } from 'vitest'

import { SqliteStore, type SqliteStoreOptions } from '../src/index.ts'
import { Files } from './drivers.ts'
import { sceneOf } from './scene.ts'

const files = new Files()
afterEach(() => files.clear())

/** The code, the message and the fix with which options are refused. */
function refusalOf(options: unknown): string {
  try {
    return `accepted: ${new SqliteStore(options as SqliteStoreOptions).kind}`
  } catch (error) {
    const { code, message, fix } = error as { code: string; message: string; fix: string }
    return `${code}: ${message} ${fix}`
  }
}

const refusalOfDatabase = (database: unknown): string => refusalOf({ database })

it.each([
  ['nothing', undefined, 'got no options'],
  ['an unknown option', { file: 'limits.db' }, 'has no option "file"'],
  ['a durability that does not exist', { durability: 'disk' }, 'durability is "disk".'],
  ['a wait for the lock that is too long', { lockTimeout: 5_000 }, 'lockTimeout is 5000 (number).'],
  ['a wait for the lock as a text', { lockTimeout: '50ms' }, 'lockTimeout is 50ms (string).'],
  ['a prefix that is not a name', { prefix: 'halt; drop' }, 'prefix is not a text'],
  ['a clock that is not a function', { clock: 5 }, 'clock is not a function.'],
  ['a warn that is not a function', { warn: true }, 'warn is not a function.'],
])('%s is refused with HALT_E_STORE_OPTION', (_, options, message) => {
  const refusal = refusalOf(options)
  expect(refusal).toMatch(/^HALT_E_STORE_OPTION: /)
  expect(refusal).toContain(message)
})

// The methods by which the store knows each client.
const method = (): void => {}
it.each([
  ['a path', './limits.db', 'Open it: give new Database'],
  ['no database', undefined, 'is not an open SQLite database'],
  [
    'a client of sqlite3',
    { exec: method, prepare: method, parallelize: method },
    '"sqlite3", which is asynchronous',
  ],
  ['a client of sqlite', { exec: method, prepare: method, getDatabaseInstance: method }, '"sqlite", which'],
  ['a client of @libsql/client', { execute: method, batch: method }, 'make a store by txStore'],
  [
    'a driver that returns promises',
    { exec: async () => {}, prepare: method },
    'belongs to a driver, which is asynchronous',
  ],
  ['an object of Drizzle', { $client: {} }, 'Give its $client.'],
])('%s is refused as a database, with what to do', (_, database, message) => {
  const refusal = refusalOfDatabase(database)
  expect(refusal).toMatch(/^HALT_E_STORE_OPTION: /)
  expect(refusal).toContain(message)
})

it('a database in memory is refused', () => {
  expect(refusalOfDatabase(files.open(':memory:'))).toContain('HALT_E_STORE_OPTION: database is in memory')
})

it('a database that is closed is refused', () => {
  const database = files.open()
  database.close()
  expect(refusalOfDatabase(database)).toContain('HALT_E_STORE_OPTION: database is closed')
})

it('a database that was opened read-only is refused', () => {
  const { path } = sceneOf(files)
  const database = new Better(path, { readonly: true })
  expect(refusalOfDatabase(database)).toContain('HALT_E_STORE_OPTION: database was opened read-only')
  database.close()
})

it('a database in a transaction is refused', () => {
  const database = files.open()
  database.exec('begin')
  expect(refusalOfDatabase(database)).toContain('HALT_E_STORE_OPTION: database is in a transaction')
})

it('a file with tables of an application is refused, and they are named', () => {
  const database = files.open()
  database.exec('create table orders (id); create table counters (id)')
  const refusal = refusalOfDatabase(database)
  expect(refusal).toContain('has tables of an application: orders, counters')
  expect(refusal).toContain('Give the store a file of its own')
})

it('two prefixes and the tables of a tool may share a file', () => {
  const { database } = sceneOf(files)
  database.exec('create table _litestream_seq (id)')
  expect(refusalOf({ database, prefix: 'shop_' })).toBe('accepted: sqlite')
  expect(refusalOf({ database })).toBe('accepted: sqlite')
})

it('the place of a store is the path of its file', () => {
  const { store, path } = sceneOf(files)
  expect(store.place).toEqual(['sqlite', 'halt_', path])
})
