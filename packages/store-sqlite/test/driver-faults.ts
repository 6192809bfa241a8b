// The faults that each driver tells in its own way.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'

import { SqliteStore } from '../src/index.ts'
import type { Driver } from './drivers.ts'
import { chargeOf, codeOf } from './scene.ts'

/**
 * Tests that the store knows the errors of a driver.
 *
 * @param newPath gives the path of a file that does not exist
 */
export function testDriverFaults(
  it: (name: string, body: () => Promise<void>) => unknown,
  { open, name }: Driver,
  newPath: () => string,
): void {
  it(`a file that is locked times out on ${name}`, async () => {
    const path = newPath()
    const [database, other] = [open(path), open(path)]
    const store = new SqliteStore({ database, lockTimeout: 5 })
    other.exec('begin immediate')
    assert.equal(await codeOf(() => store.evaluate(chargeOf('a'))), 'HALT_E_STORE_TIMEOUT')
    assert.equal(await codeOf(() => store.probe()), 'HALT_E_STORE_TIMEOUT')
    other.exec('commit')
    assert.equal((await store.evaluate(chargeOf('a'))).allowed, true)
    for (const each of [database, other]) each.close()
  })

  it(`a file without room is full on ${name}`, async () => {
    const database = open(newPath())
    const store = new SqliteStore({ database })
    database.exec('pragma max_page_count = 8')
    let code: string | undefined
    for (let i = 0; code === undefined && i < 1_000; i++)
      code = await codeOf(() => store.evaluate(chargeOf(`client-${i}`)))
    assert.equal(code, 'HALT_E_STORE_OOM')
    database.close()
  })

  it(`a connection that may only read is told on ${name}`, async () => {
    const database = open(newPath())
    const store = new SqliteStore({ database })
    database.exec('pragma query_only = 1')
    assert.equal(await codeOf(() => store.evaluate(chargeOf('a'))), 'HALT_E_STORE_READONLY')
    database.close()
  })

  it(`a connection in a transaction of the application is told on ${name}`, async () => {
    const database = open(newPath())
    const store = new SqliteStore({ database })
    database.exec('begin')
    assert.equal(await codeOf(() => store.evaluate(chargeOf('a'))), 'HALT_E_STORE_MISCONFIGURED')
    assert.equal(await codeOf(() => new SqliteStore({ database })), 'HALT_E_STORE_OPTION')
    database.close()
  })

  it(`a file that is not a database is refused on ${name}`, async () => {
    const path = newPath()
    writeFileSync(path, 'a shopping list, which is long enough to have the size of a header. '.repeat(100))
    assert.equal(await codeOf(() => new SqliteStore({ database: open(path) })), 'HALT_E_STORE_CORRUPT')
  })

  it(`a connection that was closed is told on ${name}`, async () => {
    const database = open(newPath())
    const store = new SqliteStore({ database })
    database.close()
    assert.equal(await codeOf(() => store.evaluate(chargeOf('a'))), 'HALT_E_STORE_UNAVAILABLE')
  })

  it(`a database in memory is refused on ${name}`, async () => {
    assert.equal(await codeOf(() => new SqliteStore({ database: open(':memory:') })), 'HALT_E_STORE_OPTION')
  })
}
