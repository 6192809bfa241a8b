import { afterAll, expect, it } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { PostgresStore, schema } from '../../src/index.ts'
import { makeStore, openPg } from '../databases.ts'
import { bucket, demand, group } from '../rules.ts'

const database = openPg({ max: 4 })
const clients = Array.from({ length: 16 }, () => openPg({ max: 2 }))
afterAll(() => Promise.all([database, ...clients].map(({ close }) => close())))

/** Stores of 16 clients, each with connections of its own, on the counters of one schema. */
async function sharedStores(): Promise<PostgresStore[]> {
  const name = unique()
  // A busy machine waits for a lock for longer than a second. PostgreSQL itself ends a deadlock, after one.
  const text = schema({ schema: name })
  const patient = text.replaceAll("lock_timeout = '1s'", "lock_timeout = '60s'")
  expect(patient).not.toBe(text)
  await database.run(patient)
  return clients.map(({ query }) => new PostgresStore({ query, schema: name }))
}

// Longer than a slow test, so that nothing is paid back.
const DAY = bucket({ unit: 86_400e6, capacity: 100, limit: 100 })

it('16 clients that ask at once are together admitted exactly the limit', async () => {
  const stores = await sharedStores()
  const asked = stores.flatMap(store =>
    Array.from({ length: 20 }, () => store.evaluate(group(demand('user:1', DAY)))),
  )
  const admitted = (await Promise.all(asked)).filter(({ allowed }) => allowed)
  expect(admitted).toHaveLength(100)
})

it('groups that name the same counters in opposite orders never deadlock, and charge all or nothing', async () => {
  const stores = await sharedStores()
  const rules = ['a', 'b', 'c'].map(name => ({ ...DAY, counter: `${name}:t` }))
  const orders = [rules, rules.toReversed()]
  const asked = stores.flatMap((store, i) =>
    Array.from({ length: 10 }, (_, j) =>
      store.evaluate(group(...orders[(i + j) % 2]!.map(rule => demand('user:1', rule)))),
    ),
  )
  const evaluations = await Promise.all(asked)
  expect(evaluations.filter(({ allowed }) => allowed)).toHaveLength(100)
  const [store] = stores as [PostgresStore]
  const { states } = await store.evaluate(group(...rules.map(rule => demand('user:1', rule))))
  const debts = states.map(state => state[2])
  expect(new Set(debts).size).toBe(1)
})

it('a key that many clients forget and charge at the same time never deadlocks', async () => {
  const stores = await sharedStores()
  const rules = ['a', 'b'].map(name => ({ ...DAY, counter: `${name}:t` }))
  const ids = rules.map(({ counter }) => ({ subject: 'user:1', counter }))
  const calls = stores.flatMap((store, i) => [
    store.evaluate(group(...rules.map(rule => demand('user:1', rule)))),
    store.forget(i % 2 === 0 ? ids : ids.toReversed()),
  ])
  const results = await Promise.allSettled(calls)
  expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
})

it('the checks of one turn of the event loop are one statement, and one that fails is decided again alone', async () => {
  const texts: string[] = []
  const { store } = await makeStore(database, {
    query: (text, params) => {
      texts.push(text)
      return database.pool.query(text, params)
    },
  })
  await Promise.all(Array.from({ length: 20 }, (_, i) => store.evaluate(group(demand(`user:${i}`)))))
  expect(texts.filter(text => text.includes('decide_v3'))).toHaveLength(1)

  const broken = demand('user:1', bucket({ rate: 0 }))
  const [bad, good] = await Promise.allSettled([
    store.evaluate(group(broken)),
    store.evaluate(group(demand('user:99'))),
  ])
  expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'HALT_E_STORE_SCRIPT' } })
  expect(good).toMatchObject({ status: 'fulfilled', value: { allowed: true } })
})

it('instances() counts the processes that decide', async () => {
  const stores = (await sharedStores()).slice(0, 3)
  for (const store of stores) expect(store.instances()).toBe(1)
  // Stores that say at the same instant that they are there may not see each other. They see each other the next time.
  const decide = (): Promise<unknown> =>
    Promise.all(stores.map(store => store.evaluate(group(demand('user:1')))))
  await expect
    .poll(async () => (await decide(), Math.max(...stores.map(store => store.instances()))), {
      timeout: 30_000,
    })
    .toBe(3)
})
