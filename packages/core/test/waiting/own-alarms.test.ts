// Lines on Workers, where a timer ends with the request that started it.
import { expect, it } from 'vitest'

import { Alarms } from '../../src/waiting/alarms.ts'
import { Line } from '../../src/waiting/line.ts'
import type { InLine } from '../../src/waiting/callers.ts'
import { ManualLoop } from '../manual-loop.ts'

/** A line in a runtime whose timers are numbers, and end with their requests. */
function requests() {
  const loop = new ManualLoop()
  const { after, cancel } = loop
  const timers = new Map<number, { timer: object; request: string }>()
  let [request, last] = ['none', 0]
  loop.after = ((ms: number, callback: () => void) => {
    const [id, own] = [++last, request]
    // A timer that rings runs in its request.
    const timer = after.call(loop, ms, () => in_(own, callback))
    timers.set(id, { timer, request: own })
    return id
  }) as unknown as typeof loop.after
  loop.cancel = timer => cancel.call(loop, timers.get(timer as number)?.timer)
  const in_ = (name: string, work: () => void): void => {
    const before = request
    request = name
    work()
    request = before
  }
  const alarms = new Alarms(loop)
  const looks: number[] = []
  const line = new Line('s', '', {
    alarms,
    clock: () => loop.now() * 1000,
    place: () => {},
    leave: async () => {},
    owedBy: () => ({ start: 0, time: 1 }),
    emptied: () => {},
  })
  const starts: [string, number][] = []
  let seq = 1
  return {
    loop,
    alarms,
    line,
    looks,
    starts,
    within: in_,
    /** Lets a request stand in the line until an instant. */
    stand: (name: string, ms: number): InLine => {
      const caller: InLine = {
        seq: seq++,
        check: undefined as never,
        at: 0,
        demand: { cost: 1 } as never,
        place: undefined,
        isStanding: true,
        isJoining: false,
        isOnlyHere: false,
        owes: { start: ms * 1000, time: 0 },
        deadline: Number.POSITIVE_INFINITY,
        start: () => void starts.push([name, loop.now()]),
        expire: () => {},
        gone: () => undefined,
        look: () => void looks.push(loop.now()),
      }
      in_(name, () => line.stand(caller))
      return caller
    },
    end: (name: string): void => {
      for (const { timer, request: own } of timers.values()) if (own === name) cancel.call(loop, timer)
    },
  }
}

it('a caller starts at its instant, though the request of the caller in front of it has ended', async () => {
  const { loop, line, stand, end, starts, alarms } = requests()
  const first = stand('first', 200)
  stand('second', 300)
  stand('third', 2500)
  await loop.pass(100)
  void line.leave(first)
  end('first')
  await loop.pass(2500)
  expect(starts).toEqual([
    ['second', 300],
    ['third', 2500],
  ])
  expect(alarms.size).toBe(0)
})

it('a line looks once a second, however many alarms its callers have', async () => {
  const { loop, stand, starts, looks, alarms } = requests()
  for (const name of ['a', 'b', 'c', 'd']) stand(name, 3500)
  await loop.pass(3600)
  expect(looks).toEqual([1000, 2000, 3000])
  expect(starts.map(([name]) => name)).toEqual(['a', 'b', 'c', 'd'])
  expect(alarms.size).toBe(0)
})

it('a caller that moves up starts within a second, though nobody of another request tells it', async () => {
  const { loop, stand, starts } = requests()
  stand('first', 10)
  const second = stand('second', 60_000)
  await loop.pass(100)
  second.owes = { start: 500_000, time: 0 }
  await loop.pass(1000)
  expect(starts).toEqual([
    ['first', 10],
    ['second', 1000],
  ])
})

it('a caller whose place comes late starts at its instant, by an alarm of its own request', async () => {
  const { loop, line, stand, within, starts, alarms } = requests()
  const caller = stand('late', 60_000)
  await loop.pass(100)
  caller.owes = { start: 500_000, time: 0 }
  within('late', () => line.joined(caller, true))
  await loop.pass(600)
  expect(starts).toEqual([['late', 500]])
  expect(alarms.size).toBe(0)
})

it('a caller about whom nobody has an answer any more is counted no longer, and those behind it start', async () => {
  const { loop, line, stand, starts } = requests()
  const lost: string[] = []
  const asking = { seq: 0, isLost: false, drop: () => void lost.push('asking') }
  line.asks(asking, 0)
  stand('behind', 100)
  await loop.pass(500)
  expect([starts, lost]).toEqual([[], []])
  asking.isLost = true
  await loop.pass(1000)
  expect([starts.map(([name]) => name), lost]).toEqual([['behind'], ['asking']])
})
