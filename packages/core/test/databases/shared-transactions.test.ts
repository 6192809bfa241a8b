import { setImmediate as turn } from 'node:timers/promises'

import { expect, it, vi } from 'vitest'

import { type Evaluation, keyOf, type Store, txStore } from '../../src/databases/index.ts'
import { asks, looksAt, RULE, table } from './table.ts'

const keyFor = (subject: string): string => keyOf(subject, RULE.counter)
const deferred = (): { promise: Promise<void>; resolve: () => void } => {
  let resolve = (): void => {}
  const promise = new Promise<void>(done => (resolve = done))
  return { promise, resolve }
}
const evaluate = (store: Store, ...subjects: string[]): Promise<Evaluation> =>
  store.evaluate(asks(...subjects)) as Promise<Evaluation>
const outcomes = async (answers: readonly Promise<Evaluation>[]): Promise<unknown[]> =>
  (await Promise.allSettled(answers)).map(result =>
    result.status === 'fulfilled' ? result.value.allowed : (result.reason as Error).message,
  )

it('checks that come while transactions are on their way share the next one', async () => {
  const database = table()
  const store = txStore(database)
  const gate = deferred()
  database.gate = gate.promise
  const answers: Promise<Evaluation>[] = []
  for (const subject of ['a', 'b', 'z', 'y', 'x', 'y']) {
    answers.push(evaluate(store, subject))
    await turn()
  }
  gate.resolve()
  expect(await outcomes(answers)).toEqual(Array.from({ length: 6 }, () => true))
  expect(database.locks.map(({ keys }) => keys)).toEqual(
    [['a'], ['b'], ['x', 'y', 'z']].map(keys => keys.map(keyFor)),
  )
})

it('the checks of one transaction are decided one after the other', async () => {
  const database = table()
  const store = txStore(database)
  const answers = await Promise.all(Array.from({ length: 30 }, () => evaluate(store, 'a')))
  expect(answers.filter(({ allowed }) => allowed)).toHaveLength(5)
  expect(database.begun).toBeLessThan(30)
})

it('a locked counter delays the checks beside it once, and then has transactions of its own', async () => {
  const database = table()
  const store = txStore(database)
  database.heldByOthers.add(keyFor('held'))
  const failed = `the lock of ${keyFor('held')} is not to be had`
  const batch = (): Promise<Evaluation>[] => [
    evaluate(store, 'a', 'held'),
    evaluate(store, 'b'),
    evaluate(store, 'held'),
    evaluate(store, 'c'),
  ]
  expect(await outcomes(batch())).toEqual([failed, true, failed, true])
  // The shared one, and then each group alone but the third, which needs the lock that the first has just waited for.
  expect(database.locks.map(({ keys }) => keys.length)).toEqual([4, 2, 1, 1])
  database.locks.length = 0
  expect(await outcomes(batch())).toEqual([failed, true, failed, true])
  expect(database.locks.map(({ keys }) => keys)).toContainEqual(['b', 'c'].map(keyFor))
  database.heldByOthers.clear()
  expect(await outcomes([evaluate(store, 'held'), evaluate(store, 'a')])).toEqual([true, true])
  database.locks.length = 0
  expect(await outcomes(batch())).toEqual([true, true, true, true])
  expect(database.locks).toHaveLength(1)
})

it('a look, which needs no lock, does not bring a locked counter back to the others', async () => {
  const database = table()
  const store = txStore(database)
  database.heldByOthers.add(keyFor('held'))
  await outcomes([evaluate(store, 'held'), evaluate(store, 'b')])
  expect(await store.evaluate(looksAt('held'))).toMatchObject({ allowed: true })
  database.locks.length = 0
  await outcomes([evaluate(store, 'held'), evaluate(store, 'b')])
  expect(database.locks.map(({ keys }) => keys.length)).toEqual([1, 1])
})

it('a counter that nobody has asked for during five seconds is aside no longer', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const database = table()
    const store = txStore(database)
    database.heldByOthers.add(keyFor('held'))
    await outcomes([evaluate(store, 'held'), evaluate(store, 'b')])
    database.heldByOthers.clear()
    vi.advanceTimersByTime(5_001)
    await evaluate(store, 'other')
    database.locks.length = 0
    await outcomes([evaluate(store, 'held'), evaluate(store, 'b')])
    expect(database.locks.map(({ keys }) => keys.length)).toEqual([2])
  } finally {
    vi.useRealTimers()
  }
})

it('a transaction that hangs lets the next one begin after a second', async () => {
  const database = table()
  const store = txStore(database, { transactions: 2 })
  const gate = deferred()
  database.gate = gate.promise
  const hanging = evaluate(store, 'a')
  await turn()
  database.gate = undefined
  const second = evaluate(store, 'b')
  await turn()
  expect(database.begun).toBe(1)
  expect(await second).toMatchObject({ allowed: true })
  gate.resolve()
  expect(await hanging).toMatchObject({ allowed: true })
})

it('no check is repeated whose transaction may be committed', async () => {
  const database = table()
  const store = txStore(database)
  database.failsAt = { commit: new Error('connection lost') }
  const results = await Promise.allSettled([evaluate(store, 'a'), evaluate(store, 'b')])
  expect(results.map(result => (result as PromiseRejectedResult).reason)).toEqual([
    expect.not.objectContaining({ unsent: true }),
    expect.not.objectContaining({ unsent: true }),
  ])
  expect(database.begun).toBe(1)
  expect([...database.rows.keys()].toSorted()).toEqual(['a', 'b'].map(keyFor))
})

it('a check that was never asked, because the database had gone, is not in doubt', async () => {
  const database = table()
  const store = txStore(database)
  database.heldByOthers.add(keyFor('held'))
  const commit = new Error('connection lost')
  const answers = ['a', 'held', 'b'].map(subject => evaluate(store, subject))
  // The shared transaction fails at its lock, and the first check alone where it commits.
  database.failsAt = { commit }
  const results = await Promise.allSettled(answers)
  expect(results.map(result => (result as PromiseRejectedResult).reason)).toEqual([
    commit,
    expect.objectContaining({ message: 'connection lost', unsent: true }),
    expect.objectContaining({ message: 'connection lost', unsent: true }),
  ])
  expect(commit).not.toHaveProperty('unsent')
  expect([...database.rows.keys()]).toEqual([keyFor('a')])
})

it.each([
  ['is away', { begin: new Error('no connection') }],
  ['is full', { commit: Object.assign(new Error('disk full'), { failure: 'full', reply: '1114' }) }],
])('checks are not asked one by one of a database that %s', async (_name, failsAt) => {
  const database = table()
  const store = txStore(database)
  database.failsAt = failsAt
  await Promise.allSettled(['a', 'b', 'c'].map(subject => evaluate(store, subject)))
  expect(database.begun).toBe(1)
})

it('a check over a value that is not a counter fails alone, and names it', async () => {
  const database = table()
  const store = txStore(database)
  database.rows.set(keyFor('bad'), 'spam')
  const results = await Promise.allSettled([evaluate(store, 'a', 'bad'), evaluate(store, 'b')])
  expect(results[0]).toMatchObject({
    reason: { code: 'HALT_E_STORE_SCRIPT', failure: 'script', counter: keyFor('bad'), unsent: true },
  })
  expect(results[1]).toMatchObject({ value: { allowed: true } })
  expect([...database.rows]).toEqual([
    [keyFor('bad'), 'spam'],
    [keyFor('b'), expect.any(String)],
  ])
})

it('lock() learns which counters nobody writes, and the store decides by the time that it tells', async () => {
  const database = table()
  const store = txStore(database, { clock: () => 0 })
  database.now = 1.7e12
  const answers = await Promise.all([
    store.evaluate(looksAt('a', 'b')),
    store.evaluate(asks('b')),
    store.evaluate(looksAt('c')),
  ])
  expect(answers.map(({ now }) => now)).toEqual([1.7e15, 1.7e15, 1.7e15])
  expect(database.locks.map(({ looks }) => [...looks])).toEqual([['a', 'c'].map(keyFor)])
  expect([...database.rows.keys()]).toEqual([keyFor('b')])
})

it('with one transaction at a time, checks, documents and resets come one after the other', async () => {
  const database = table()
  const store = txStore(database, { transactions: 1 })
  const document = store.document!('control')
  const all: Promise<unknown>[] = []
  for (let i = 0; i < 8; i++) {
    all.push(evaluate(store, `s${i}`), document.read(), document.write('text', '0'))
    all.push(Promise.resolve(store.forget([{ subject: 's0', counter: RULE.counter }])))
    await turn()
  }
  await Promise.all(all)
  expect(database.mostOpen).toBe(1)
  // The control: nothing else keeps them apart.
  const other = table()
  const free = txStore(other)
  await Promise.all([evaluate(free, 'a'), free.document!('control').read()])
  expect(other.mostOpen).toBe(2)
})
