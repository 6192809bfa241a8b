import { describe, expect, it } from 'vitest'

import type { Loop } from '../../src/base/loop.ts'
import { TurnClock } from '../../src/base/turn-clock.ts'

/** A loop whose time, idle time and turns are moved by hand. */
class ManualLoop implements Loop {
  time = 1000
  slept: number | undefined = 0
  #ends: (() => void)[] = []

  now = (): number => this.time
  idle = (): number | undefined => this.slept
  afterTurn = (callback: () => void): void => void this.#ends.push(callback)

  sleep(ms: number): void {
    this.time += ms
    if (this.slept !== undefined) this.slept += ms
  }

  endTurn(): void {
    for (const end of this.#ends.splice(0)) end()
  }
}

/** Handles requests in one turn, each of which takes so long. Returns their ages. */
function turn(loop: ManualLoop, clock: TurnClock, times: readonly number[]): number[] {
  const ages = times.map(ms => {
    clock.enter()
    const { age } = clock
    loop.time += ms
    return age
  })
  loop.endTurn()
  return ages
}

describe('TurnClock', () => {
  it('TurnClock counts from the start of the turn, because all requests of a turn were readable then', () => {
    const loop = new ManualLoop()
    const clock = new TurnClock(loop)
    loop.sleep(50)
    expect(turn(loop, clock, [5, 5, 5])).toEqual([0, 5, 10])
  })

  it('TurnClock adds half of the turn before, if the loop has not slept since', () => {
    const loop = new ManualLoop()
    const clock = new TurnClock(loop)
    loop.sleep(50)
    turn(loop, clock, [20])
    expect(turn(loop, clock, [5, 5])).toEqual([10, 15])
  })

  it('TurnClock adds half of the time that the loop was busy since, if it has slept', () => {
    const loop = new ManualLoop()
    const clock = new TurnClock(loop)
    turn(loop, clock, [200])
    loop.sleep(30)
    loop.time += 8 // a timer's work
    expect(turn(loop, clock, [5])).toEqual([4])
  })

  it('TurnClock guesses by the gap where the runtime does not tell its idle time', () => {
    const loop = new ManualLoop()
    loop.slept = undefined
    const clock = new TurnClock(loop)
    loop.sleep(50)
    turn(loop, clock, [20])
    loop.time += 0.5
    expect(turn(loop, clock, [5])).toEqual([10.25])
    loop.sleep(50)
    expect(turn(loop, clock, [5])).toEqual([0])
  })

  it('TurnClock tells of each turn how long the loop was idle before it, and when the turn before ended', () => {
    const loop = new ManualLoop()
    const clock = new TurnClock(loop)
    const turns: number[][] = []
    clock.opened = (...told) => void turns.push(told)
    turn(loop, clock, [10, 10])
    loop.sleep(30)
    turn(loop, clock, [5])
    turn(loop, clock, [5])
    expect(turns).toEqual([
      [1000, 0, 1000],
      [1050, 30, 1020],
      [1055, 0, 1055],
    ])
  })

  it('TurnClock never gives a negative age, whatever the clocks of the runtime say', () => {
    const loop = new ManualLoop()
    const clock = new TurnClock(loop)
    loop.slept = 1e9
    expect(turn(loop, clock, [1])[0]).toBeGreaterThanOrEqual(0)
  })
})
