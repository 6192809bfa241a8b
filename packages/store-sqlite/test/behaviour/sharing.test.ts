// Several connections to one file stand for several processes.
import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { afterEach, expect, it } from 'vitest'

import { SqliteStore } from '../../src/index.ts'
import { Files } from '../drivers.ts'
import { chargeOf, sceneOf } from '../scene.ts'

const files = new Files()
const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
  files.clear()
})

function stores(count: number): SqliteStore[] {
  const path = files.path()
  return Array.from({ length: count }, () => new SqliteStore({ database: files.open(path) }))
}

it('the processes that decide are counted', async () => {
  const [first, second, idle] = stores(3) as [SqliteStore, SqliteStore, SqliteStore]
  for (const store of [first, second]) {
    store.instances()
    await store.evaluate(chargeOf('a'))
  }
  expect(second.instances()).toBe(2)
  expect(await idle.processes()).toBe(2)
  expect(await idle.obeyingProcesses()).toBe(0)
})

it('a process that ended before the clock was set back is not counted', async () => {
  const { store, database } = sceneOf(files)
  database.exec(`insert into halt_processes values ('counting', 'dead', ${Date.now() + 3_600_000})`)
  store.instances()
  await store.evaluate(chargeOf('a'))
  expect(await store.processes()).toBe(1)
})

it('a block of one process refuses in another', async () => {
  const [here, there] = stores(2) as [SqliteStore, SqliteStore]
  const [operator, control] = [new Control({ store: here }), new Control({ store: there })]
  const limiter = new RateLimiter({
    store: there,
    control,
    policy: { name: 'p', limit: 10, window: '1h' },
  })
  open.push(operator, control, limiter)
  await operator.block({ user: 'mallory' })
  await control.refresh()
  expect((await limiter.consume({ user: 'mallory' })).allowed).toBe(false)
  expect((await limiter.consume({ user: 'alice' })).allowed).toBe(true)
  expect(await here.obeyingProcesses()).toBe(1)
})

it('a lease takes units in advance, and two processes together admit the limit', async () => {
  const limiters = stores(2).map(
    store =>
      new RateLimiter({
        store,
        policy: { name: 'hot', limit: 1_000, window: '1h', lease: { share: 0.01 } },
      }),
  )
  open.push(...limiters)
  let admitted = 0
  for (let i = 0; i < 1_500; i++)
    for (const limiter of limiters) if ((await limiter.consume('hot')).allowed) admitted++
  // A refill of a thousand units an hour may add one meanwhile.
  expect(admitted).toBeLessThanOrEqual(1_001)
  expect(admitted).toBeGreaterThanOrEqual(980)
})

it('counters live on when every connection has been closed', async () => {
  const path = files.path()
  const first = files.open(path)
  await new SqliteStore({ database: first }).evaluate(chargeOf('a'))
  const rule = { name: 'quota', limit: 2, period: 'monthly', keyStrategy: 'user' } as const
  const before = new RateLimiter({ store: new SqliteStore({ database: first }), policy: rule })
  await before.consume({ user: '42' })
  await before.close()
  first.close()
  const after = new RateLimiter({ store: new SqliteStore({ database: files.open(path) }), policy: rule })
  open.push(after)
  expect((await after.consume({ user: '42' })).remaining).toBe(0)
})
