// What happens to a line as something changes under it, one situation a test. The bounds are those that the rule of positions keeps.
import { describe, expect, it } from 'vitest'

import { startsOf } from './journal.ts'
import * as operators from './operators.ts'
import {
  asks,
  aWorld,
  checkElsewhere,
  inVirtualTime,
  lineOf,
  mostStarts,
  nowMs,
  perSecond,
  soon,
  startsFrom,
} from './rows.ts'

inVirtualTime()

describe('a limit that changes under a line', () => {
  it('a line starts callers one by one when a PolicyRegistry raises its limit and newcomers ask by the new one', async () => {
    const world = await aWorld(perSecond(2), { changes: 'registry' })
    asks(world, 80)
    await world.pass(1700)
    await soon(world, operators.change(world, 0, { limit: 20, burst: 1 }))
    asks(world, 40)
    await world.pass(12_000)
    const starts = startsFrom(world)
    expect(starts).toHaveLength(120)
    expect(mostStarts(starts, 10)).toBeLessThanOrEqual(1)
    const order = startsOf(world.book).map(({ id }) => id)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })
})

describe('units that come back to a line', () => {
  it('settling 21 calls to 0 starts at most 4 callers in 100 ms while 19 wait and newcomers ask', async () => {
    const world = await aWorld(perSecond(10, 21), { processes: 2 })
    const callers = asks(world, 40)
    await world.pass(150)
    const started = callers.filter(({ ask }) => ask.end === 'started').slice(0, 21)
    const before = nowMs(world)
    const settled = started.map(caller => operators.settle(world, caller, 0))
    await soon(world, Promise.all(settled))
    asks(world, 15)
    asks(world, 15, {}, 1)
    await world.pass(9000)
    expect(startsFrom(world)).toHaveLength(70)
    expect(mostStarts(startsFrom(world, before), 100)).toBeLessThanOrEqual(4)
  })

  it('calls that are settled to 0 as soon as they start never start two callers at one instant', async () => {
    const world = await aWorld(perSecond(10))
    const callers = asks(world, 10)
    for (let i = 0; i < 6000; i++) {
      await world.pass(1)
      if (i % 25 === 0 && callers.length < 60) callers.push(...asks(world, 1))
      for (const caller of callers.filter(({ ask, isSettled }) => ask.end === 'started' && !isSettled))
        void operators.settle(world, caller, 0)
      if (callers.every(({ isSettled }) => isSettled)) break
    }
    const starts = startsFrom(world)
    expect(starts).toHaveLength(60)
    expect(mostStarts(starts, 1)).toBe(1)
    expect(mostStarts(starts, 100)).toBeLessThanOrEqual(4)
  })

  it('a line of which half leaves starts at most 16 callers in 1.5 s, though newcomers ask elsewhere', async () => {
    const world = await aWorld(perSecond(10), { processes: 2 })
    const callers = asks(world, 40)
    await world.pass(20)
    asks(world, 5, {}, 1)
    await world.pass(530)
    for (const { leaving, ask } of callers) if (ask.id % 2 === 1) leaving.abort()
    await world.pass(5)
    asks(world, 40, {}, 1)
    await world.pass(9000)
    const starts = startsFrom(world)
    expect(mostStarts(starts, 1500)).toBeLessThanOrEqual(16)
    expect(starts.length).toBeGreaterThan(60)
    // Who came later does not overtake.
    const order = startsOf(world.book).map(({ process }) => process)
    expect(order.lastIndexOf(0)).toBeLessThan(order.indexOf(1))
  })

  it('units of 15 calls settled to 0 go to those who wait, and not to newcomers of another process', async () => {
    const world = await aWorld(perSecond(10, 15), { processes: 2 })
    const callers = asks(world, 35)
    await world.pass(50)
    await soon(world, Promise.all(callers.slice(0, 15).map(caller => operators.settle(world, caller, 0))), 20)
    asks(world, 20, {}, 1)
    await world.pass(6000)
    const order = startsOf(world.book).map(({ process }) => process)
    expect(order).toHaveLength(55)
    expect(order.lastIndexOf(0)).toBeLessThan(order.indexOf(1))
    // 15 units came back, and each of them starts one caller more.
    expect(mostStarts(startsFrom(world, 60), 1500)).toBeLessThanOrEqual(16 + 15)
    expect(mostStarts(startsFrom(world, 60), 100)).toBeLessThanOrEqual(4)
  })

  it('a hundred callers of different costs that all give up leave no line', async () => {
    const world = await aWorld(perSecond(10, 20))
    const callers = Array.from({ length: 100 }, (_, i) =>
      world.ask(0, { cost: 1 + (i % 9), maxWaitMs: 3_600_000 }),
    )
    await world.pass(1000)
    for (const { leaving } of callers) leaving.abort()
    await world.pass(100)
    expect(world.waiting).toHaveLength(0)
    expect(await lineOf(world)).toBe(0)
    expect((await checkElsewhere(world)).retryAfterMs).toBeLessThanOrEqual(100)
  })

  it('the units of callers that leave from the middle go to those behind', async () => {
    const world = await aWorld(perSecond(10))
    const callers = asks(world, 30)
    await world.pass(250)
    for (const { leaving } of callers.slice(5, 20)) leaving.abort()
    await world.pass(2000)
    const last = startsOf(world.book).at(-1)!
    expect(last.id).toBe(29)
    // 5 before the hole, 10 after it, the first at once.
    expect(last.endedAt / 1000).toBeLessThan(1450)
    expect(mostStarts(startsFrom(world), 95)).toBe(1)
  })
})

describe('a store that goes away under a line', () => {
  it('a line starts callers one by one through an outage of 5 s, the newcomers behind those who wait', async () => {
    const world = await aWorld(perSecond(10))
    asks(world, 55)
    await world.pass(1030)
    const outage = operators.outage(world, 'away', 5000, 0)
    for (let i = 0; i < 16; i++) {
      await world.pass(500)
      asks(world, 2)
    }
    await outage
    await world.pass(12_000)
    const starts = startsFrom(world)
    expect(starts).toHaveLength(87)
    expect(mostStarts(starts.slice(0, 70), 10)).toBeLessThanOrEqual(1)
    // As the store is back, its bucket is full, and the share of the outage has just been used.
    expect(mostStarts(starts, 10)).toBeLessThanOrEqual(2)
    const order = startsOf(world.book).map(({ id }) => id)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  for (const [stepMs, most] of [
    [-10_000, 1],
    [-1000, 1],
    [-100, 1],
    [1000, 2],
  ] as const)
    it(`a line starts at most ${most} in 50 ms after a failover to a server whose clock is off by ${stepMs} ms`, async () => {
      const world = await aWorld(perSecond(10), { processes: 2 })
      for (let i = 0; i < 14; i++) asks(world, 1, {}, i % 2)
      await world.pass(1030)
      operators.failover(world, stepMs)
      for (let i = 0; i < 46; i++) {
        await world.pass(60)
        asks(world, 1, {}, i % 2)
      }
      await world.pass(15_000)
      const starts = startsFrom(world)
      expect(starts).toHaveLength(60)
      expect(mostStarts(starts, 50)).toBeLessThanOrEqual(most)
    })

  it('a caller starts when it is paid, after a clock was set forward by more than the whole bucket', async () => {
    const world = await aWorld(perSecond(10, 10))
    asks(world, 10)
    await world.pass(20)
    // The first one that waits: its five units are paid after half a second.
    asks(world, 1, { cost: 5 })
    await world.pass(80)
    operators.failover(world, 2000)
    await world.pass(20)
    // Its bucket is full now, and is charged with the same call that tells of the clock.
    asks(world, 1)
    await world.pass(3000)
    const starts = startsFrom(world)
    expect(starts).toHaveLength(12)
    expect(starts[10]).toBeGreaterThanOrEqual(500)
    expect(starts[10]).toBeLessThan(650)
  })

  it('a process that lost its counter places its callers again by one call, before newcomers', async () => {
    const world = await aWorld(perSecond(10), { processes: 2 })
    for (let i = 0; i < 60; i++) asks(world, 1, {}, i % 2)
    await world.pass(1030)
    await operators.lose(world)
    const calls = world.arrivals.length
    await world.pass(1500)
    asks(world, 30, {}, 1)
    await world.pass(9000)
    const starts = startsFrom(world)
    expect(starts).toHaveLength(90)
    // Newcomers, looks once a second and process, and the calls that place both lines again.
    expect(world.arrivals.length - calls).toBeLessThanOrEqual(30 + 2 * 11 + 4)
    // The rate, a capacity, another one that was lost, and what a process may not have heard of.
    expect(mostStarts(starts, 3000)).toBeLessThanOrEqual(30 + 1 + 1 + 10)
    const order = startsOf(world.book).map(({ id }) => id)
    expect(order.slice(-30)).toEqual(Array.from({ length: 30 }, (_, i) => 60 + i))
  })
})

describe('callers whose replies are under way', () => {
  it('callers start in order and a slot apart, though replies come in any order', async () => {
    const world = await aWorld(perSecond(10, 3), { delays: { least: 500, most: 60_000 } })
    asks(world, 30)
    await world.pass(4000)
    const starts = startsOf(world.book)
    expect(starts.map(({ id }) => id)).toEqual(Array.from({ length: 30 }, (_, i) => i))
    expect(mostStarts(startsFrom(world).slice(3), 30)).toBe(1)
  })

  it('callers start 200 ms apart at 5 per second, when one gives up before its reply has come', async () => {
    const world = await aWorld(perSecond(5), { delays: { least: 3000, most: 3500 } })
    const callers = asks(world, 5)
    await world.pass(5)
    callers[2]!.leaving.abort()
    await world.pass(1500)
    const starts = startsFrom(world)
    const gaps = starts.slice(1).map((at, i) => at - starts[i]!)
    expect(starts).toHaveLength(4)
    for (const gap of gaps) expect(Math.abs(gap - 200)).toBeLessThanOrEqual(9)
  })
})
