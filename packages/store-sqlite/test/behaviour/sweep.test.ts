// Counters that have ended leave the file, in passing and by sweep().
import { ManualClock } from '@halt/core/testing'
import { afterEach, expect, it } from 'vitest'

import { Files } from '../drivers.ts'
import { chargeOf, rowOf, sceneOf } from '../scene.ts'

const files = new Files()
afterEach(() => files.clear())

function filledScene(counters: number) {
  const clock = new ManualClock()
  const { store, database } = sceneOf(files, { clock: clock.now, durability: 'none' })
  for (let i = 0; i < counters; i++) void store.evaluate(chargeOf(`client-${i}`))
  const rows = (): unknown => rowOf(database, 'select count(*) as n from halt_counters')
  return { clock, store, rows }
}

it('checks remove the counters that have ended, so a file of many clients does not grow without end', () => {
  const { clock, store, rows } = filledScene(2_000)
  expect(rows()).toEqual({ n: 2_000 })
  clock.advance('2m')
  // Each 64th check sweeps 256 rows.
  for (let i = 0; i < 64 * 9; i++) void store.evaluate(chargeOf('busy'))
  expect(rows()).toEqual({ n: 1 })
})

it('checks keep a counter that has ended for a minute, in case the clock is set back', () => {
  const { clock, store, rows } = filledScene(100)
  clock.advance('30s')
  for (let i = 0; i < 64 * 2; i++) void store.evaluate(chargeOf('busy'))
  expect(rows()).toEqual({ n: 101 })
})

it('sweep() removes every counter that has ended and no other', async () => {
  const { clock, store, rows } = filledScene(2_500)
  clock.advance('2s')
  for (let i = 0; i < 10; i++) void store.evaluate(chargeOf(`late-${i}`))
  expect(await store.sweep()).toBe(2_500)
  expect(rows()).toEqual({ n: 10 })
})

it('sweep() lets checks in between its pieces', async () => {
  const { clock, store } = filledScene(5_000)
  clock.advance('2s')
  let turns = 0
  const swept = store.sweep()
  const tick = (): void => {
    turns++
    if (turns < 4) setImmediate(tick)
  }
  setImmediate(tick)
  expect(await swept).toBe(5_000)
  expect(turns).toBe(4)
})
