// Another connection holds the lock of the file, as a process that is stopped in a transaction does.
import { statSync } from 'node:fs'

import { afterEach, expect, it, vi } from 'vitest'

import { Files } from '../drivers.ts'
import { chargeOf, codeOf, limiterOf, rowOf, sceneOf } from '../scene.ts'

const files = new Files()
afterEach(() => {
  vi.restoreAllMocks()
  files.clear()
})

/** A store whose file is locked until `unlock` is called. */
function lockedScene(lockTimeout: number) {
  const { store, path, database } = sceneOf(files, { lockTimeout })
  const other = files.open(path)
  other.exec('begin immediate')
  return { store, path, database, unlock: () => other.exec('commit') }
}

/** The milliseconds for which the event loop stood still on purpose. */
function watchStops() {
  return vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out')
}

it('a check of a locked file gives up after lockTimeout, and charges nothing', async () => {
  const { store, unlock } = lockedScene(20)
  const began = performance.now()
  expect(await codeOf(() => store.evaluate(chargeOf('a')))).toBe('HALT_E_STORE_TIMEOUT')
  expect(performance.now() - began).toBeGreaterThanOrEqual(20)
  unlock()
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
})

it('a check waits until the lock is free', async () => {
  const { store, unlock } = lockedScene(1_000)
  let stops = 0
  vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    if (++stops === 3) unlock()
    return 'timed-out'
  })
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
  expect(stops).toBe(3)
})

it('the driver never waits by itself', () => {
  const { database } = lockedScene(50)
  expect(rowOf(database, 'pragma busy_timeout')).toEqual({ timeout: 0 })
})

it('after three checks no check stands still while the file stays locked', async () => {
  const { store, unlock } = lockedScene(1)
  const { limiter, codes } = limiterOf(store)
  for (let i = 0; i < 3; i++) expect((await limiter.consume('a')).degraded).toBe('local')
  expect(codes).toContain('HALT_W_STORE_TIMEOUT')
  const stops = watchStops()
  for (let i = 0; i < 20; i++) expect((await limiter.consume('a')).degraded).toBe('local')
  expect(stops).not.toHaveBeenCalled()
  unlock()
  await expect.poll(async () => (await limiter.consume('a')).degraded).toBe(false)
})

it('a probe of a locked file does not stand still', async () => {
  const { store, unlock } = lockedScene(1_000)
  const stops = watchStops()
  expect(await codeOf(() => store.probe())).toBe('HALT_E_STORE_TIMEOUT')
  const probed = store.probe()
  unlock()
  await probed
  expect(stops).not.toHaveBeenCalled()
})

it('reads and writes of documents, sweeps and counts of processes do not stand still', async () => {
  const { store, unlock } = lockedScene(1_000)
  const stops = watchStops()
  const calls = [store.document('notes').write('text', '0'), store.sweep(), store.processes()]
  expect(await store.document('notes').read('0')).toBeUndefined()
  unlock()
  await Promise.all(calls)
  expect(await store.document('notes').read()).toMatchObject({ text: 'text' })
  expect(stops).not.toHaveBeenCalled()
})

it('a reader that stays open keeps no check waiting', async () => {
  const { store, path } = sceneOf(files, { lockTimeout: 0 })
  const reader = files.open(path)
  reader.exec('begin')
  reader.exec('select * from halt_counters')
  expect(await store.evaluate(chargeOf('a'))).toMatchObject({ allowed: true })
})

it('ready() tells of a log that a reader made long, and the log is cut when the reader has gone', async () => {
  const { store, path } = sceneOf(files, { durability: 'none' })
  const reader = files.open(path)
  reader.exec('begin')
  reader.exec('select * from halt_counters')
  const blob = 'x'.repeat(1_000_000)
  const own = files.open(path)
  own.exec('create table _tool (text text)')
  for (let i = 0; i < 70; i++) own.exec(`insert into _tool values ('${blob}')`)
  const [warning] = await store.inspect()
  expect(warning).toMatchObject({ code: 'HALT_W_STORE_MISCONFIGURED' })
  expect(warning?.message).toContain('keeps a transaction open')
  own.close()
  reader.close()
  await expect
    .poll(async () => {
      await store.probe()
      return statSync(`${path}-wal`).size
    })
    .toBeLessThanOrEqual(16 * 2 ** 20)
  expect(await store.inspect()).toEqual([])
})
