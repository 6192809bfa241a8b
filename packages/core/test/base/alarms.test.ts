import { expect, it } from 'vitest'

import { Alarms } from '../../src/waiting/alarms.ts'
import { ManualLoop } from '../manual-loop.ts'

/** Alarms on a loop that the test moves, and the names of those that rang. */
function set() {
  const loop = new ManualLoop()
  const alarms = new Alarms(loop)
  const rang: [string, number][] = []
  const at = (name: string, ms: number): (() => void) => {
    const alarm = {
      due: 0,
      left: () => (ms - loop.now()) * 1000,
      ring: () => void rang.push([name, loop.now()]),
    }
    alarms.set(alarm)
    return () => alarms.forget(alarm)
  }
  return { loop, alarms, rang, at }
}

it('alarms ring at their instants, in the order of these and then of their setting', async () => {
  const { loop, rang, at } = set()
  for (const [name, ms] of [
    ['c', 30],
    ['a', 10],
    ['b', 20],
    ['b2', 20],
  ] as const)
    at(name, ms)
  await loop.pass(40)
  expect(rang).toEqual([
    ['a', 10],
    ['b', 20],
    ['b2', 20],
    ['c', 30],
  ])
})

it('an alarm that is taken back does not ring, and the others keep their instants', async () => {
  const { loop, alarms, rang, at } = set()
  const forget = at('a', 10)
  at('b', 20)
  forget()
  forget()
  expect(alarms.size).toBe(1)
  await loop.pass(30)
  expect(rang).toEqual([['b', 20]])
})

it('an alarm that is set for an earlier instant than the others rings first', async () => {
  const { loop, rang, at } = set()
  at('late', 50)
  await loop.pass(5)
  at('soon', 10)
  await loop.pass(60)
  expect(rang).toEqual([
    ['soon', 10],
    ['late', 50],
  ])
})

it('an alarm rings only when its own clock says so, even if the timer fires', async () => {
  const loop = new ManualLoop()
  const alarms = new Alarms(loop)
  let left = 10_000
  let rings = 0
  alarms.set({ due: 0, left: () => left, ring: () => void rings++ })
  await loop.pass(50)
  expect(rings).toBe(0)
  left = 0
  await loop.pass(10)
  expect(rings).toBe(1)
})

it('a thousand alarms need one timer', async () => {
  const { loop, rang, at } = set()
  let timers = 0
  const after = loop.after.bind(loop)
  loop.after = (ms, callback) => {
    timers++
    return after(ms, callback)
  }
  for (let i = 0; i < 1000; i++) at(String(i), 10)
  await loop.pass(10)
  expect(rang).toHaveLength(1000)
  expect(timers).toBe(1)
})

it('an alarm has its own timer where a timer is a number, because it ends with the request that started it', async () => {
  const { loop, alarms, at, rang } = set()
  const timers = new Map<number, object>()
  const after = loop.after.bind(loop)
  loop.after = (ms, callback) => {
    const id = timers.size + 1
    timers.set(id, after(ms, callback))
    return id as never
  }
  at('a', 10)
  at('b', 20)
  const forget = at('c', 20)
  loop.cancel(timers.get(1))
  const cancel = loop.cancel.bind(loop)
  loop.cancel = timer => cancel(timers.get(timer as number))
  forget()
  await loop.pass(30)
  expect(rang).toEqual([['b', 20]])
  expect(alarms.size).toBe(1)
})

it('an alarm that another one takes back and sets for later rings once, and is not set any more', async () => {
  const loop = new ManualLoop()
  const alarms = new Alarms(loop)
  const rang: number[] = []
  let due = 10
  const later = { due: 0, left: () => (due - loop.now()) * 1000, ring: () => void rang.push(loop.now()) }
  const first = {
    due: 0,
    left: () => (10 - loop.now()) * 1000,
    ring: () => {
      alarms.forget(later)
      due = 20
      alarms.set(later)
    },
  }
  alarms.set(first)
  alarms.set(later)
  await loop.pass(50)
  expect([rang, alarms.size]).toEqual([[20], 0])
})
