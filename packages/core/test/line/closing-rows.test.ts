// What becomes of a line as a process ends, and of callers that a process must not hold.
import { describe, expect, it } from 'vitest'

import { rejection } from '../world.ts'
import * as operators from './operators.ts'
import {
  asks,
  aWorld,
  checkElsewhere,
  closeWith,
  inVirtualTime,
  lineOf,
  mostStarts,
  perSecond,
  soon,
  startsFrom,
} from './rows.ts'
import { viewOf } from './world.ts'

inVirtualTime()

describe('close()', () => {
  it('close() leaves the line empty when 300 callers wait, and warns of nothing', async () => {
    const world = await aWorld(perSecond(10))
    asks(world, 300)
    await world.pass(1050)
    await soon(world, operators.close(world, 0), 500)
    expect(world.waiting).toHaveLength(0)
    expect(world.book.asks.filter(({ end }) => end === 'closed').length).toBeGreaterThan(285)
    expect(await lineOf(world)).toBe(0)
    expect((await checkElsewhere(world)).retryAfterMs).toBeLessThanOrEqual(100)
    expect(world.warnings).toEqual([])
  })

  it('close() has given the places back when it resolves', async () => {
    const slow = { delays: { least: 40_000, most: 60_000 }, limiter: { storeTimeout: '1s' } } as const
    const world = await aWorld(perSecond(10), slow)
    asks(world, 50)
    await world.pass(1050)
    let left: number | undefined
    const closing = operators.close(world, 0).then(() => {
      left = world.arrivals.length
    })
    await soon(world, closing, 1000)
    expect(world.arrivals).toHaveLength(left!)
    expect(await lineOf(world, 300)).toBe(0)
  })

  it('close() moves up the callers of other processes, whatever their costs', async () => {
    const world = await aWorld(perSecond(10, 3), { processes: 2 })
    for (let i = 0; i < 60; i++) asks(world, 1, { cost: 1 + (i % 3) }, i % 2)
    await world.pass(1050)
    await soon(world, operators.close(world, 0))
    await world.pass(7000)
    const left = world.book.asks.filter(({ process, end }) => process === 1 && end === 'started')
    expect(left).toHaveLength(30)
    // 60 units of the other process, and what had started of the first.
    expect(Math.max(...left.map(({ endedAt }) => endedAt!)) / 1000).toBeLessThan(7100)
  })

  it('close() with finishLine lets those who wait have their turn first', async () => {
    const world = await aWorld(perSecond(10))
    asks(world, 40)
    await world.pass(550)
    let isClosed = false
    const closing = closeWith(world, 0, { finishLine: '30s' }).then(() => (isClosed = true))
    closing.catch(() => {})
    await world.pass(2000)
    expect(isClosed).toBe(false)
    const late = world.ask(0)
    await world.pass(2500)
    expect(isClosed).toBe(true)
    expect(startsFrom(world)).toHaveLength(40)
    expect(mostStarts(startsFrom(world), 90)).toBe(1)
    expect(late.ask.end).not.toBe('started')
    expect(await lineOf(world)).toBe(0)
  })

  it('close() gives back the places of those who had no turn within finishLine', async () => {
    const world = await aWorld(perSecond(10))
    asks(world, 40)
    await world.pass(550)
    await soon(world, closeWith(world, 0, { finishLine: '1s' }), 1500)
    expect(world.waiting).toHaveLength(0)
    const started = startsFrom(world).length
    expect(started).toBeGreaterThan(13)
    expect(started).toBeLessThan(18)
    expect(await lineOf(world)).toBe(0)
  })
})

describe('a process that is killed', () => {
  it('a killed process leaves its places empty, and the others start when they were told', async () => {
    const world = await aWorld(perSecond(10), { processes: 2 })
    for (let i = 0; i < 40; i++) asks(world, 1, {}, i % 2)
    await world.pass(1050)
    operators.kill(world, 0)
    await world.pass(4000)
    const starts = startsFrom(world, 1050)
    expect(starts.length).toBeGreaterThanOrEqual(14)
    expect(mostStarts(starts, 190)).toBe(1)
  })
})

describe('a caller that must not be held', () => {
  it('a caller behind others of a window is refused at once if its own wait is longer than it wants', async () => {
    const world = await aWorld(
      { ...perSecond(1), name: 'hour' },
      {
        limiter: { policy: { name: 'hour', algorithm: 'fixed-window', limit: 1, window: '1h' } },
      },
    )
    asks(world, 2, { maxWaitMs: 7_200_000 })
    await world.pass(100)
    const impatient = world.ask(0, { maxWaitMs: 5000 })
    await world.pass(100)
    expect(impatient.ask).toMatchObject({ end: 'refused', reason: 'limited' })
    expect(impatient.ask.retryAfter).toBeGreaterThan(1e9)
    for (const { leaving } of world.waiting) leaving.abort()
    await world.pass(100)
  })

  it('a caller beyond mostWaiting is refused, though the store has not answered those before it yet', async () => {
    const world = await aWorld(perSecond(1), { limiter: { mostWaiting: 1 } })
    const callers = asks(world, 3)
    await world.pass(100)
    expect(callers.map(({ ask }) => ask.end)).toEqual(['started', undefined, 'refused'])
    await world.pass(1000)
    expect(callers.map(({ ask }) => ask.end)).toEqual(['started', 'started', 'refused'])
  })

  it('acquire rejects with a code for a signal that is null', async () => {
    const world = await aWorld(perSecond(1))
    const { limiter } = world.processes[0]!
    const error = await rejection(limiter.acquire(viewOf('u0'), { signal: null as never }))
    expect(error.code).toBe('HALT_E_OPTION')
    expect(limiter.waiting).toBe(0)
  })

  it('acquire rejects with a code for a signal that throws, and leaves no waiter behind', async () => {
    const world = await aWorld(perSecond(1))
    const { limiter } = world.processes[0]!
    asks(world, 1)
    await world.pass(50)
    const signal = {
      aborted: false,
      addEventListener: () => {
        throw new Error('no listeners here')
      },
      removeEventListener: () => {},
    }
    const error = await soon(world, rejection(limiter.acquire(viewOf('u0'), { signal })))
    expect(error.code).toBe('HALT_E_OPTION')
    expect(limiter.waiting).toBe(0)
    expect(await lineOf(world)).toBe(0)
    await world.pass(2000)
    expect(world.core.waitingRoom.size).toBe(0)
  })
})
