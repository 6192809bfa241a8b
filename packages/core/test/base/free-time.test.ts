import { describe, expect, it } from 'vitest'

import { afterFreeTime } from '../../src/base/promises.ts'
import { ManualLoop } from '../manual-loop.ts'

describe('afterFreeTime', () => {
  it('afterFreeTime calls back once, after the time, if the loop is free', async () => {
    const loop = new ManualLoop()
    const calls: number[] = []
    afterFreeTime(100, () => calls.push(loop.now()), false, loop)
    await loop.pass(300)
    expect(calls).toEqual([100])
  })

  it('afterFreeTime does not count the time in which the loop was blocked, except for the running slice', async () => {
    const loop = new ManualLoop()
    const calls: number[] = []
    afterFreeTime(100, () => calls.push(loop.now()), false, loop)
    await loop.pass(10)
    await loop.block(1_000)
    await loop.pass(200)
    // The running slice of 25 ms counts, so 75 ms are left.
    expect(calls).toEqual([1_085])
  })

  it('afterFreeTime reports how long the loop was free', async () => {
    const loop = new ManualLoop()
    const wait = afterFreeTime(100, () => {}, false, loop)
    await loop.pass(10)
    const early = wait.passed
    await loop.block(1_000)
    expect([early, wait.passed]).toEqual([10, 25])
  })

  it('afterFreeTime calls back after a few turns of a loop that is never free', async () => {
    const loop = new ManualLoop()
    let calls = 0
    afterFreeTime(100, () => calls++, false, loop)
    for (let turn = 0; turn < 4; turn++) await loop.block(500)
    expect(calls).toBe(1)
  })

  it('afterFreeTime reads the sockets once more before it calls back, even if the time is 0', async () => {
    for (const ms of [0, 100]) {
      const loop = new ManualLoop()
      const events: string[] = []
      afterFreeTime(ms, () => events.push('late'), false, loop)
      await loop.pass(ms - 1)
      loop.arrive(() => events.push('answer'))
      await loop.block(1)
      expect(events, `${ms} ms`).toEqual(['answer', 'late'])
    }
  })

  it('afterFreeTime does not call back after cancel, even if the time is over', async () => {
    const loop = new ManualLoop()
    let calls = 0
    const wait = afterFreeTime(100, () => calls++, false, loop)
    await loop.pass(99)
    loop.arrive(() => wait.cancel())
    await loop.pass(200)
    expect(calls).toBe(0)
  })
})
