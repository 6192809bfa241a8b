// With durability "power" the checks of a turn share a transaction, and so a wait for the disk.
import { afterEach, expect, it } from 'vitest'

import { SqliteStore } from '../../src/index.ts'
import { Files } from '../drivers.ts'
import { chargeOf, codeOf, rowOf } from '../scene.ts'

const files = new Files()
afterEach(() => files.clear())

/** A store, and how many transactions it has begun. */
function countedScene(durability: 'process' | 'power') {
  const path = files.path()
  const database = files.open(path)
  let begun = 0
  const store = new SqliteStore({
    durability,
    database: {
      exec: text => database.exec(text),
      prepare(text) {
        const statement = database.prepare(text) as { run(): unknown }
        if (!text.startsWith('begin')) return statement
        return { run: () => (++begun, statement.run()) }
      },
    },
  })
  return { store, database, path, begun: () => begun }
}

const subjects = Array.from({ length: 100 }, (_, i) => `client-${i}`)

it('a hundred checks of one turn share one transaction', async () => {
  const { store, begun } = countedScene('power')
  const before = begun()
  const decided = await Promise.all(subjects.map(async subject => store.evaluate(chargeOf(subject))))
  expect(decided.every(({ allowed }) => allowed)).toBe(true)
  expect(begun() - before).toBe(1)
})

it('checks of one counter are decided in their order, in one transaction', async () => {
  const { store } = countedScene('power')
  const decided = await Promise.all([1, 2, 3].map(async () => store.evaluate(chargeOf('a'))))
  expect(decided.map(({ allowed }) => allowed)).toEqual([true, false, false])
})

it('a check that cannot be decided fails alone', async () => {
  const { store, database } = countedScene('power')
  await store.evaluate(chargeOf('broken'))
  database.exec(`update halt_counters set state = 'three'`)
  const calls = ['a', 'broken', 'b'].map(subject => codeOf(() => store.evaluate(chargeOf(subject))))
  expect(await Promise.all(calls)).toEqual([undefined, 'HALT_E_STORE_SCRIPT', undefined])
  expect(rowOf(database, 'select count(*) as n from halt_counters')).toEqual({ n: 3 })
})

it('a transaction that fails has charged none of its checks', async () => {
  const { store, path } = countedScene('power')
  const other = files.open(path)
  other.exec('begin immediate')
  const codes = await Promise.all(['a', 'b'].map(subject => codeOf(() => store.evaluate(chargeOf(subject)))))
  expect(codes).toEqual(['HALT_E_STORE_TIMEOUT', 'HALT_E_STORE_TIMEOUT'])
  other.exec('commit')
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
})

it('a process leaves the lock free after each transaction while another one commits too', async () => {
  const { store, database, path } = countedScene('power')
  // Without the disk, so that only pauses take time.
  database.exec('pragma synchronous = off')
  const other = files.open(path)
  const round = async (i: number): Promise<void> => {
    other.exec(`replace into halt_processes values ('other', '', ${i})`)
    await store.evaluate(chargeOf('a'))
  }
  // The first two commits of the other process show that there is one.
  for (let i = 0; i < 2; i++) await round(i)
  const began = performance.now()
  for (let i = 0; i < 20; i++) await round(i + 2)
  // Timers may end a millisecond early. Without pauses, twenty rounds take some two milliseconds.
  expect(performance.now() - began).toBeGreaterThanOrEqual(20)
})

it('close() waits for the checks that are on their way', async () => {
  const { store } = countedScene('power')
  let isDecided = false
  const decided = Promise.resolve(store.evaluate(chargeOf('a'))).then(() => (isDecided = true))
  await store.close()
  expect(isDecided).toBe(true)
  await decided
})

it.each([
  ['process', 1],
  ['power', 2],
  ['none', 0],
] as const)('durability "%s" sets synchronous to %i', (durability, level) => {
  const database = files.open()
  void new SqliteStore({ database, durability })
  expect(rowOf(database, 'pragma synchronous')).toEqual({ synchronous: level })
})
