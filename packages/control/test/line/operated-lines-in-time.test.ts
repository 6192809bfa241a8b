// What happens to a line as operators change its limit, or block one of its users. The bounds are those that the rule of positions keeps.
import { expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { startsOf } from '../../../core/test/line/journal.ts'
import * as operators from '../../../core/test/line/operators.ts'
import {
  asks,
  aWorld,
  inVirtualTime,
  mostStarts,
  nowMs,
  perSecond,
  soon,
  startsFrom,
} from '../../../core/test/line/rows.ts'
import type { Given } from '../../../core/test/line/several/counters.ts'
import { aTown } from '../../../core/test/line/several/town-rows.ts'
import type { Town } from '../../../core/test/line/several/town.ts'
import { withControl } from './virtual-control.ts'

inVirtualTime(withControl)

it('a line starts callers one by one when Control raises its limit from 2 to 20 per second', async () => {
  const world = await aWorld(perSecond(2), { changes: 'control' })
  asks(world, 120)
  await world.pass(1700)
  await soon(world, operators.change(world, 0, { limit: 20, burst: 1 }))
  await world.pass(12_000)
  const starts = startsFrom(world)
  expect(starts).toHaveLength(120)
  expect(mostStarts(starts, 10)).toBeLessThanOrEqual(1)
})

it('a line of four processes starts callers one or two at a time when Control raises its limit', async () => {
  const world = await aWorld(perSecond(2), { changes: 'control', processes: 4 })
  for (let i = 0; i < 30; i++) for (const process of [0, 1, 2, 3]) asks(world, 1, {}, process)
  await world.pass(1700)
  await soon(world, operators.change(world, 0, { limit: 20, burst: 1 }))
  await world.pass(12_000)
  const starts = startsFrom(world)
  expect(starts).toHaveLength(120)
  expect(mostStarts(starts, 10)).toBeLessThanOrEqual(4)
  expect(mostStarts(starts, 1000)).toBeLessThanOrEqual(41)
})

it('a line of one customer speeds up, one by one, when Control gives him numbers of his own', async () => {
  const world = await aWorld({ ...perSecond(2), keyStrategy: 'user' }, { changes: 'control' })
  asks(world, 60)
  asks(world, 60, { user: 'other' })
  await world.pass(1700)
  const { control } = world.processes[0]!
  await soon(world, control!.override({ user: 'u0' }, 'api', { limit: 20, burst: 1 }))
  await world.pass(5000)
  const own = startsOf(world.book).filter(({ user }) => user === 'u0')
  expect(own).toHaveLength(60)
  expect(
    mostStarts(
      own.map(({ endedAt }) => endedAt / 1000),
      10,
    ),
  ).toBeLessThanOrEqual(1)
  expect(startsOf(world.book).length - own.length).toBeLessThanOrEqual(15)
  for (const { leaving } of world.waiting) leaving.abort()
  await world.pass(100)
})

it('a line speeds up when its limit is raised from 1 to 10 per second', async () => {
  const world = await aWorld(perSecond(1), { changes: 'control' })
  asks(world, 600)
  await world.pass(2500)
  await soon(world, operators.change(world, 0, { limit: 10, burst: 1 }))
  const changed = nowMs(world)
  await world.pass(50_000)
  expect(startsFrom(world, changed + 1500).filter(at => at < changed + 49_500).length).toBeGreaterThan(470)
})

const [MANY, SAID] = isFull ? [3000, '3 000'] : [1000, '1 000']

it(`a line of ${SAID} callers slows down when its limit is lowered from 100 to 1 per second`, async () => {
  const world = await aWorld(perSecond(100), { changes: 'control' })
  asks(world, MANY)
  await world.pass(1500)
  await soon(world, operators.change(world, 0, { limit: 1, burst: 1 }))
  const changed = nowMs(world)
  await world.pass(25_000)
  // A process may not have heard of it for 1.5 s.
  expect(startsFrom(world, changed).filter(at => at < changed + 1500).length).toBeLessThanOrEqual(151)
  const heard = startsFrom(world, changed + 1500).filter(at => at < changed + 21_500)
  expect(heard.length).toBeLessThanOrEqual(21)
  expect(heard.length).toBeGreaterThanOrEqual(18)
})

it('a line whose limit is lowered refuses those who would wait longer than they want, when they have', async () => {
  const world = await aWorld(perSecond(10), { changes: 'control' })
  asks(world, 60, { maxWaitMs: 8000 })
  await world.pass(1050)
  await soon(world, operators.change(world, 0, { limit: 1, burst: 1 }))
  await world.pass(10_000)
  const { waiting, book } = world
  expect(waiting).toHaveLength(0)
  const refused = book.asks.filter(({ end }) => end === 'refused')
  expect(refused.length).toBeGreaterThan(28)
  for (const { endedAt, reason } of refused) {
    expect(reason).toBe('limited')
    expect(endedAt! / 1000).toBeLessThan(8250)
  }
})

it('a reset with 600 callers waiting starts one capacity at once and leaves the rest in order', async () => {
  const world = await aWorld(perSecond(1), { changes: 'control' })
  asks(world, 600)
  await world.pass(2500)
  await soon(world, operators.change(world, 0, { limit: 10, burst: 1 }))
  await world.pass(4030)
  const before = nowMs(world)
  await soon(world, operators.reset(world, 0))
  await world.pass(5000)
  const starts = startsFrom(world, before)
  expect(mostStarts(starts, 10)).toBeLessThanOrEqual(1)
  expect(starts.length).toBeGreaterThan(48)
  expect(starts.length).toBeLessThan(54)
  const order = startsOf(world.book).map(({ id }) => id)
  expect(order).toEqual(order.toSorted((a, b) => a - b))
})

it('a line refuses a blocked user at his turn, and those behind move up', async () => {
  const world = await aWorld({ ...perSecond(10), keyStrategy: 'shared' }, { changes: 'control' })
  for (let i = 0; i < 30; i++) world.ask(0, { user: i % 3 === 1 ? 'bad' : 'good', maxWaitMs: 60_000 })
  await world.pass(250)
  await soon(world, operators.block(world, 0, 'bad', 60_000))
  await world.pass(5000)
  const { asks: all } = world.book
  expect(all.filter(({ user, end }) => user === 'good' && end === 'started')).toHaveLength(20)
  const bad = all.filter(({ user, end }) => user === 'bad' && end === 'refused')
  expect(bad.length).toBeGreaterThanOrEqual(9)
  for (const { reason } of bad) expect(reason).toBe('blocked')
  // 20 or 21 starts, the first at once: nobody waits for the places of the blocked.
  expect(startsFrom(world).at(-1)).toBeLessThan(2000 + 500)
  expect(mostStarts(startsFrom(world), 90)).toBe(1)
})

it('a line moves up by the difference, in order, when the burst is raised', async () => {
  const world = await aWorld(perSecond(10), { changes: 'control' })
  const callers = asks(world, 40)
  await world.pass(1050)
  const before = startsFrom(world).length
  await soon(world, operators.change(world, 0, { limit: 10, burst: 6 }))
  await world.pass(2500)
  const [starts, now] = [startsFrom(world).length - before, nowMs(world)]
  const paid = Math.floor((now - 1050) / 100)
  expect(starts).toBeGreaterThanOrEqual(paid + 4)
  expect(starts).toBeLessThanOrEqual(paid + 6)
  const ids = startsOf(world.book).map(({ id }) => id)
  expect(ids).toEqual(callers.slice(0, ids.length).map(({ ask }) => ask.id))
})

it('a line falls back by the difference when the burst is lowered, and nobody is forgotten', async () => {
  const world = await aWorld(perSecond(10, 6), { changes: 'control' })
  const callers = asks(world, 30, { cost: 2 })
  await world.pass(1050)
  await soon(world, operators.change(world, 0, { limit: 10, burst: 2 }))
  await world.pass(8000)
  const starts = startsOf(world.book)
  expect(starts.map(({ id }) => id)).toEqual(callers.map(({ ask }) => ask.id))
  // 60 units, the first 2 at once, the others at 10 a second.
  expect(starts.at(-1)!.endedAt / 1000).toBeGreaterThan(5750)
  expect(starts.at(-1)!.endedAt / 1000).toBeLessThan(5900)
})

const user = { keyStrategy: 'user' } as const
const MINUTE: Given = { name: 'minute', limit: 6000, window: '1m', burst: 10, ...user }

/** The most starts above one and the rate, in any interval from an instant on. */
function aboveRate(town: Town, rate: number, fromMs: number, process?: number): number {
  const instants = town.starts
    .filter(call => call.endedAt / 1000 >= fromMs && (process === undefined || call.process === process))
    .map(({ endedAt }) => endedAt / 1e6)
  let most = 0
  for (const [i, from] of instants.entries())
    for (let j = i; j < instants.length; j++) most = Math.max(most, j - i - rate * (instants[j]! - from))
  return most
}

// The process of the operator knows at once, and looks within a second. Another one reads the document within a second, and then looks.
const [OWN, OTHER, REPLIES] = [1000, 2000, 50]
for (const [name, more] of [
  ['one bucket', []],
  ['two buckets', [MINUTE]],
] as const)
  it(`a limit that is lowered from 10 to 1 per second reaches all callers of ${name} within a look`, async () => {
    const policies: Given[] = [{ name: 'second', limit: 10, window: '1s', burst: 1, ...user }, ...more]
    const town = await aTown({ policies, processes: 2, isControlled: true })
    for (let i = 0; i < 120; i++) town.ask({ process: i % 2 })
    await town.pass(1350)
    const { control } = town.processes[0]!
    await town.soon(control!.change('second', { limit: 1, burst: 1 }), 200)
    const changed = town.nowMs
    await town.pass(9000)
    expect(aboveRate(town, 1, changed + OWN + REPLIES, 0)).toBeLessThanOrEqual(0.5)
    expect(aboveRate(town, 1, changed + OTHER + REPLIES)).toBeLessThanOrEqual(0.5)
    for (const { leaving } of town.waiting) leaving.abort()
    await town.pass(4000)
  })

it('a limit that is lowered lets callers go on at the new rate, and not stand still', async () => {
  const policies: Given[] = [{ name: 'second', limit: 10, window: '1s', burst: 1, ...user }, MINUTE]
  const town = await aTown({ policies, processes: 2, isControlled: true })
  for (let i = 0; i < 120; i++) town.ask({ process: i % 2 })
  await town.pass(1350)
  await town.soon(town.processes[0]!.control!.change('second', { limit: 1, burst: 1 }), 200)
  const changed = town.nowMs
  await town.pass(10_000)
  const heard = town.starts.filter(({ endedAt }) => endedAt / 1000 > changed + 2050)
  // What started at the old rate until then is paid back first: two seconds of ten at most, less than what a look allows.
  expect(heard.length).toBeGreaterThanOrEqual(5)
  for (const { leaving } of town.waiting) leaving.abort()
  await town.pass(4000)
})
