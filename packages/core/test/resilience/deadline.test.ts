import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { describe, expect, it } from 'vitest'

import { Deadline } from '../../src/resilience/deadline.ts'
import { ManualLoop } from '../manual-loop.ts'

const after = <T>(ms: number, value: T): Promise<T> =>
  new Promise(resolve => setTimeout(() => resolve(value), ms))
const deadline = (ms: number): Deadline => new Deadline(ms, () => new Error('late'))

describe('a deadline', () => {
  it('a deadline rejects each call after the same time, and does not touch calls in time', async () => {
    const shared = deadline(40)
    const ends: string[] = []
    const call = (name: string, answer: Promise<string> = new Promise(() => {})): Promise<unknown> =>
      shared.race(answer).then(
        value => ends.push(value),
        (error: Error) => ends.push(`${name} ${error.message}`),
      )
    const first = [call('a'), call('b', after(1, 'b')), call('c'), call('d', after(5, 'd'))]
    await after(20, undefined)
    await Promise.all([...first, call('e'), call('f', after(1, 'f'))])
    expect(ends).toEqual(['b', 'd', 'f', 'a late', 'c late', 'e late'])
  })

  it('a deadline passes a late value to the callback', async () => {
    const used: number[] = []
    const use = (value: number): string => `used ${used.push(value)}`
    let reply = (_value: number): void => {}
    const value = new Promise<number>(resolve => (reply = resolve))
    const settled = await deadline(10).follow(value, use, error => `failed: ${String(error)}`)
    expect(settled).toBe('failed: Error: late')
    reply(7)
    await value
    expect(used).toEqual([7])
  })

  it('an error of the callback is a failure of the call', async () => {
    const use = (): never => {
      throw new TypeError('no verdict')
    }
    expect(await deadline(1000).follow(after(1, 7), use, String)).toBe('TypeError: no verdict')
  })

  it('a deadline rejects with the error that the failure handler throws, in time and late', async () => {
    const fail = (error: unknown): never => {
      throw new Error('unhandled', { cause: error })
    }
    const refused = Promise.reject(new Error('refused'))
    await expect(deadline(1000).follow(refused, String, fail)).rejects.toThrow('unhandled')
    let reply = (_value: number): void => {}
    const value = new Promise<number>(resolve => (reply = resolve))
    await expect(deadline(5).follow(value, String, fail)).rejects.toThrow('unhandled')
    reply(7)
    await value
  })

  it('a deadline keeps nothing of a settled call', async () => {
    const shared = deadline(60_000)
    const values: WeakRef<object>[] = []
    for (let i = 0; i < 10; i++) {
      const value = {}
      values.push(new WeakRef(value))
      await shared.race(Promise.resolve(value))
    }
    await after(1, undefined)
    setFlagsFromString('--expose-gc')
    ;(runInNewContext('gc') as () => void)()
    // The last value may still be on the stack.
    expect(values.filter(ref => ref.deref() !== undefined).length).toBeLessThanOrEqual(1)
  })
})

describe('a deadline in a busy process', () => {
  /** A call with a deadline of 100 ms, its result, and when it settled. */
  function call(loop: ManualLoop): { ends: string[]; answer: () => void } {
    const ends: string[] = []
    let answer = (): void => {}
    const promise = new Promise<void>(resolve => (answer = resolve))
    new Deadline(100, () => new Error('late'), loop).race(promise).then(
      () => ends.push(`answered at ${loop.now()}`),
      () => ends.push(`late at ${loop.now()}`),
    )
    return { ends, answer }
  }

  it('a deadline rejects a call after its time when the loop is free', async () => {
    const loop = new ManualLoop()
    const { ends } = call(loop)
    await loop.pass(200)
    expect(ends).toEqual(['late at 100'])
  })

  it('a deadline accepts a reply that waited in the socket while the loop was blocked', async () => {
    for (const free of [0, 50, 99]) {
      const loop = new ManualLoop()
      const { ends, answer } = call(loop)
      await loop.pass(free)
      loop.arrive(answer)
      await loop.block(5_000)
      await loop.pass(200)
      expect(ends).toEqual([`answered at ${free + 5_000}`])
    }
  })

  it('a deadline gives the store the time that the loop lost', async () => {
    const loop = new ManualLoop()
    const { ends, answer } = call(loop)
    await loop.block(5_000)
    await loop.pass(74)
    loop.arrive(answer)
    await loop.pass(200)
    expect(ends).toEqual(['answered at 5075'])
  })

  it('a deadline still rejects a call without a reply, however often the loop is blocked', async () => {
    const loop = new ManualLoop()
    const { ends } = call(loop)
    for (let turn = 0; turn < 4; turn++) await loop.block(200)
    expect(ends).toEqual(['late at 800'])
  })

  it('a deadline counts the time of each call from its own start', async () => {
    const loop = new ManualLoop()
    const deadline = new Deadline(100, () => new Error('late'), loop)
    const ends: string[] = []
    const start = (name: string): void =>
      void deadline.race(new Promise(() => {})).catch(() => ends.push(`${name} ${loop.now()}`))
    start('a')
    await loop.pass(60)
    start('b')
    await loop.block(1_000)
    start('c')
    await loop.pass(300)
    // The slice from 50 to 75 was running. So "a" has 25 ms left, and "b" has 85 ms.
    expect(ends).toEqual(['a 1085', 'b 1145', 'c 1160'])
  })
})
