// Whose turn it is: several policies, pauses, blocks, overdrafts, bursts, and how much of a limit a busy line uses.
import { describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { startsOf } from './journal.ts'
import * as operators from './operators.ts'
import { asks, aWorld, inVirtualTime, mostStarts, nowMs, perSecond, soon, startsFrom } from './rows.ts'
import { viewOf, type World } from './world.ts'

inVirtualTime()

describe('a caller of a bucket and a window', () => {
  it('a caller of a bucket and a window is served in turn beside a busy line of the bucket alone', async () => {
    const bucket = perSecond(10)
    const window = { name: 'w', algorithm: 'fixed-window', limit: 1000, window: '1m' } as const
    const world = await aWorld(bucket, { limiter: { policy: [bucket, window] } })
    const { limiter } = world.processes[0]!
    const alone = (): void =>
      void limiter.acquire(viewOf('u0'), { policy: bucket, maxWait: '1h' }).catch(() => {})
    for (let i = 0; i < 20; i++) alone()
    await world.pass(50)
    const both = world.ask(0, { maxWaitMs: 30_000 })
    // The line never gets shorter: each tenth of a second one starts, and one comes.
    for (let i = 0; i < 60; i++) {
      await world.pass(100)
      alone()
    }
    expect(both.ask.end).toBe('started')
    expect(both.ask.endedAt! / 1000).toBeLessThan(2000 + 500)
    await soon(world, limiter.close(), 200)
  })
})

describe('a line that is paused', () => {
  it('a paused line freezes, keeps its order, and goes on where it was, while nobody asks again', async () => {
    const world = await aWorld(perSecond(10))
    const callers = asks(world, 30)
    await world.pass(1050)
    const calls = world.arrivals.length
    await soon(world, operators.pause(world, 0, 3000), 20)
    const paused = nowMs(world)
    await world.pass(2500)
    expect(startsFrom(world, paused)).toEqual([])
    await world.pass(3000)
    const starts = startsOf(world.book)
    expect(starts.map(({ id }) => id)).toEqual(callers.map(({ ask }) => ask.id))
    expect(mostStarts(startsFrom(world), 90)).toBe(1)
    // 19 were left; the last starts 1.9 s after the pause, and not earlier.
    expect(starts.at(-1)!.endedAt / 1000).toBeGreaterThan(1050 + 3000 + 1800)
    // The pause itself, and a look each second.
    expect(world.arrivals.length - calls).toBeLessThanOrEqual(1 + 6)
  })

  it('a paused line tells newcomers the pause and the line', async () => {
    const world = await aWorld(perSecond(10))
    asks(world, 30)
    await world.pass(1050)
    await soon(world, operators.pause(world, 0, 3000), 20)
    const late = world.ask(0, { maxWaitMs: 2000 })
    await world.pass(20)
    expect(late.ask.end).toBe('refused')
    // 19 wait in front of it.
    expect(late.ask.retryAfter! / 1000).toBeGreaterThan(2980 + 1800)
    expect(late.ask.retryAfter! / 1000).toBeLessThan(3000 + 2100)
  })
})

describe('a line whose bucket changes', () => {
  it('a line waits longer, in order, when a call is settled for more than it was charged', async () => {
    const world = await aWorld(perSecond(10))
    const callers = asks(world, 20)
    await world.pass(50)
    await soon(world, operators.settle(world, callers[0]!, 11))
    await world.pass(4000)
    const starts = startsOf(world.book)
    expect(starts.map(({ id }) => id)).toEqual(callers.map(({ ask }) => ask.id))
    expect(starts.at(-1)!.endedAt / 1000).toBeGreaterThan(2890)
    expect(starts.at(-1)!.endedAt / 1000).toBeLessThan(2925)
  })
})

describe('a constant line of calls that reserve 1000 units', () => {
  // The refunds come into their stride slowly: each of them lets a caller start who refunds again.
  for (const [used, limit, settledMs, least, counts] of [
    // The short form tries each use and each number of processes once.
    [300, 5000, 15_000, 0.98, isFull ? [1, 4] : [1]],
    [100, 3000, 45_000, 0.97, isFull ? [1, 4] : [4]],
  ] as const)
    for (const processes of counts)
      it(`calls that reserve 1000 units and use ${used} use the limit in full: ${processes} processes`, async () => {
        const world = await aWorld(perSecond(limit, 1000), { processes })
        const seconds = 20
        await keepLine(world, used, settledMs + seconds * 1000)
        const starts = startsFrom(world, settledMs)
        const share = (starts.length * used) / (seconds * limit)
        expect(share).toBeGreaterThanOrEqual(least)
        expect(share).toBeLessThanOrEqual(1.03)
        expect(mostStarts(starts, 50)).toBeLessThanOrEqual(12)
      })
})

/** Keeps 40 callers waiting. Each settles to what it used, 100 ms after its start. */
async function keepLine(world: World, used: number, untilMs: number): Promise<void> {
  const count = world.processes.length
  const caller = (process: number): void => {
    const own = world.ask(process, { cost: 1000, maxWaitMs: 3_600_000 })
    void own.done.then(async () => {
      if (own.ask.end !== 'started') return
      if (nowMs(world) < untilMs) caller(process)
      await world.time.sleep(100_000)
      await operators.settle(world, own, used)
    })
  }
  for (let i = 0; i < 40; i++) caller(i % count)
  await world.pass(untilMs)
  for (const { leaving } of world.waiting) leaving.abort()
  await world.pass(200)
}
