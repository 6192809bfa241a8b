// A file that is full, read-only, damaged, deleted, or in the hands of the application.
import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'

import { ManualClock } from '@halt/core/testing'
import Better from 'better-sqlite3'
import { afterEach, expect, it } from 'vitest'

import { SqliteStore } from '../../src/index.ts'
import { Files } from '../drivers.ts'
import { chargeOf, codeOf, limiterOf, rowOf, sceneOf } from '../scene.ts'

const files = new Files()
afterEach(() => files.clear())

const codesOf = async (store: SqliteStore): Promise<string[]> =>
  (await store.inspect()).map(({ code }) => code)

it('a store on a sound file has no warnings', async () => {
  const { store } = sceneOf(files)
  expect(await store.inspect()).toEqual([])
})

it('a file without room refuses new counters, stays whole, and counts on when there is room', async () => {
  const { store, database } = sceneOf(files)
  const { limiter, codes, fixes } = limiterOf(store)
  const { page_count } = rowOf(database, 'pragma page_count') as { page_count: number }
  database.exec(`pragma max_page_count = ${page_count + 2}`)
  let degraded: unknown = false
  for (let i = 0; degraded === false && i < 1_000; i++)
    degraded = (await limiter.consume(`client-${i}`)).degraded
  expect(degraded).toBe('local')
  expect(codes).toEqual(expect.arrayContaining(['HALT_E_STORE_OOM', 'HALT_W_STORE_FULL']))
  expect(fixes[0]).toContain('Make room on the disk.')
  expect(rowOf(database, 'pragma integrity_check')).toEqual({ integrity_check: 'ok' })
  database.exec('pragma max_page_count = 100000')
  await expect.poll(async () => (await limiter.consume('late')).degraded).toBe(false)
})

it('a file that may not be written is told by ready() and by the first check', async () => {
  const { path } = sceneOf(files)
  const readonly = new Better(path, { readonly: true })
  // Other drivers do not tell that they are read-only.
  const store = new SqliteStore({
    database: { exec: text => readonly.exec(text), prepare: text => readonly.prepare(text) },
  })
  expect(await codesOf(store)).toEqual(['HALT_W_STORE_UNAVAILABLE'])
  const { limiter, codes } = limiterOf(store)
  expect((await limiter.consume('a')).degraded).toBe('local')
  expect(codes).toContain('HALT_E_STORE_READONLY')
  readonly.close()
})

it('a damaged file is named by ready(), and the checks that meet the damage are decided without it', async () => {
  const { store, path, database } = sceneOf(files)
  for (let i = 0; i < 3_000; i++) void store.evaluate(chargeOf(`client-${i}`))
  database.exec('pragma wal_checkpoint(truncate)')
  database.close()
  const { size } = statSync(path)
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(size - 5 * 4096, 0xa5), 0, undefined, 5 * 4096)
  closeSync(file)
  const damaged = new SqliteStore({ database: files.open(path) })
  expect(await codesOf(damaged)).toContain('HALT_W_STORE_MISCONFIGURED')
  const codes = new Set<unknown>()
  for (let i = 0; i < 50; i++) codes.add(await codeOf(() => damaged.evaluate(chargeOf(`client-${i}`))))
  expect(codes).toContain('HALT_E_STORE_CORRUPT')
})

it.each(['', '-wal', '-shm'])(
  'a process notices within a second that "limits.db%s" was deleted, and counts on when it is back',
  async ending => {
    const clock = new ManualClock()
    const { store, path } = sceneOf(files, { clock: clock.now })
    expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
    renameSync(path + ending, `${path}.away`)
    clock.advance('1s')
    expect(await codeOf(() => store.evaluate(chargeOf('b')))).toBe('HALT_E_STORE_UNAVAILABLE')
    expect(await codesOf(store)).toEqual(['HALT_W_STORE_UNAVAILABLE'])
    renameSync(`${path}.away`, path + ending)
    expect(await store.evaluate(chargeOf('b'))).toMatchObject({ allowed: true })
  },
)

it('a file that was replaced by another is not counted in any more', async () => {
  const clock = new ManualClock()
  const { store, path } = sceneOf(files, { clock: clock.now })
  await store.evaluate(chargeOf('a'))
  for (const ending of ['', '-wal', '-shm']) rmSync(path + ending)
  const later = new SqliteStore({ database: files.open(path), clock: clock.now })
  clock.advance('1s')
  expect(await later.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
  const { message } = (await store.inspect())[0] ?? {}
  expect(message).toContain('was deleted or replaced')
})

it('a check on a connection that is in a transaction of the application leaves that transaction alone', async () => {
  const { store, database } = sceneOf(files)
  database.exec('begin')
  expect(await codeOf(() => store.evaluate(chargeOf('a')))).toBe('HALT_E_STORE_MISCONFIGURED')
  expect((await store.inspect())[0]?.fix).toContain('a connection of its own')
  database.exec('commit')
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
})

it('a check on a closed connection fails and was not charged', async () => {
  const { store, database } = sceneOf(files)
  database.close()
  expect(() => store.evaluate(chargeOf('a'))).toThrow(
    expect.objectContaining({ code: 'HALT_E_STORE_UNAVAILABLE', unsent: true }),
  )
})

it('a table that was dropped is made again', async () => {
  const { store, database } = sceneOf(files)
  await store.evaluate(chargeOf('a'))
  database.exec('drop table halt_counters')
  expect(await codeOf(() => store.evaluate(chargeOf('b')))).toBe('HALT_E_STORE_MISCONFIGURED')
  expect(await store.evaluate(chargeOf('b'))).toMatchObject({ allowed: true })
})

it('a row that is not a counter fails its own checks alone', async () => {
  const { store, database } = sceneOf(files)
  await store.evaluate(chargeOf('a'))
  database.exec(`update halt_counters set state = 'three'`)
  expect(() => store.evaluate(chargeOf('a'))).toThrow(
    expect.objectContaining({ code: 'HALT_E_STORE_SCRIPT', counter: 'a look:f', unsent: true }),
  )
  expect(await store.evaluate(chargeOf('b'))).toMatchObject({ allowed: true })
})

it('a clock that is set back keeps a refusal, and one that is set ahead ends it', async () => {
  let now = 1e12
  const { store } = sceneOf(files, { clock: () => now })
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
  now -= 3_600_000
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: false })
  now += 3_602_000
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
})

it('a clock that returns no instant fails the check', async () => {
  const { store } = sceneOf(files, { clock: () => Number.NaN })
  expect(await codeOf(() => store.evaluate(chargeOf('a')))).toBe('HALT_E_STORE_SCRIPT')
})

it('a file that is locked while a process starts is opened by a later check', async () => {
  const path = files.path()
  const other = files.open(path)
  other.exec('begin exclusive')
  const store = new SqliteStore({ database: files.open(path), lockTimeout: 0 })
  expect(await codeOf(() => store.evaluate(chargeOf('a')))).toBe('HALT_E_STORE_TIMEOUT')
  other.exec('commit')
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
})

it('a file that cannot have a log counts, and the store warns of it', async () => {
  const database = files.open()
  const codes: string[] = []
  // As on a network disk.
  const exec = (text: string): unknown => (text.includes('journal_mode') ? undefined : database.exec(text))
  const store = new SqliteStore({
    database: { exec, prepare: text => database.prepare(text) },
    warn: ({ code }) => void codes.push(code),
  })
  expect(codes).toEqual(['HALT_W_STORE_MISCONFIGURED'])
  expect((await store.inspect())[0]?.message).toContain('"delete" and not "wal"')
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: false })
})
