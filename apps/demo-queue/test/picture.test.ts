import { describe, expect, it } from 'vitest'

import { type Call, early, mostAhead, overtakers } from '../src/calls.ts'
import { coloured, picture, type Scene } from '../src/picture.ts'

const call = (worker: number, started: number, asked = 0): Call => ({
  worker,
  started: 5000 + started,
  asked,
})
const scene = (calls: readonly Call[], more: Partial<Scene> = {}): Scene => ({
  workers: 2,
  calls,
  each: 3,
  ended: new Set(),
  from: 5000,
  to: 5300,
  columns: 40,
  line: undefined,
  ...more,
})

describe('the picture', () => {
  it('the picture has a row for each worker and a column for each tenth of a second', () => {
    expect(picture(scene([call(0, 0), call(1, 100), call(0, 203)]))).toEqual([
      'worker 1  ●·●·  2 started, 1 wait',
      'worker 2  ·●··  1 started, 2 wait',
      '          0 s',
      '',
    ])
  })

  it('the picture counts calls that start within one tenth, and tells which worker has ended', () => {
    const drawn = picture(scene([call(1, 100), call(1, 108)], { ended: new Set([1]) }))
    expect(drawn[1]).toBe('worker 2  ·2··  2 started, has ended')
  })

  it('the picture moves to the left when the time line is full', () => {
    const calls = Array.from({ length: 20 }, (_, i) => call(0, i * 100))
    const drawn = picture(scene(calls, { to: 6900, columns: 12, each: 20 }))
    expect(drawn[0]).toBe('worker 1  ●●●●●●●●●●●●  20 started, 0 wait')
    expect(drawn[2]).toBe('            1 s')
  })

  it('the picture shows the line below', () => {
    expect(picture(scene([], { line: '5 wait' })).at(-1)).toBe('5 wait')
  })

  it('the picture shows the limits below the instants at which they were set', () => {
    const limits = [
      { at: 5000, limit: 10 },
      { at: 5100, limit: 20 },
      { at: 6200, limit: 5 },
    ]
    expect(picture(scene([], { to: 6500, limits })).at(-2)).toBe('limit     10/s 20/s   5/s')
    expect(picture(scene([], { to: 6500, columns: 12, limits })).at(-2)).toBe('limit     20/s    5/s')
    const wide = picture(scene([call(0, 0), call(0, 100), call(0, 1000)], { to: 6200, limits, step: 200 }))
    expect(wide).toEqual([
      'worker 1  ●●···●·  3 started, 0 wait',
      'worker 2  ·······  0 started, 3 wait',
      '          0 s  1 s',
      'limit     10/s 20/s 5/s',
      '',
    ])
  })

  it('the picture colours a worker only if it is asked to', () => {
    const escape = '\u001B['
    expect(picture(scene([call(0, 0)])).join('')).not.toContain(escape)
    expect(picture(scene([call(0, 0)]), coloured)[0]).toContain(`${escape}36mworker 1${escape}0m`)
  })
})

describe('the checks of the show', () => {
  it('the checks of the show find the calls that start before their time, however late others are', () => {
    const asked = 5000
    const at = (...times: number[]): Call[] => times.map(time => call(0, time, asked))
    expect(early(at(0, 100, 200, 300))).toEqual([])
    expect(early(at(30, 330, 331, 332))).toEqual([])
    expect(early(at(0, 50, 200)).map(({ started }) => started)).toEqual([5050])
    expect(early(at(0, 0, 0, 0))).toHaveLength(3)
    expect(mostAhead(at(0, 100, 200, 450))).toBe(0)
    expect(mostAhead(at(0, 100, 130, 150, 400))).toBe(2)
  })

  it('the checks of the show find a call that overtakes one that was asked for earlier', () => {
    const inOrder = [call(0, 0, 0), call(1, 100, 50)]
    expect(overtakers(inOrder, 20)).toEqual([])
    const overtakes = call(1, 0, 50)
    expect(overtakers([overtakes, call(0, 100, 0)], 20)).toEqual([overtakes])
    expect(overtakers([overtakes, call(0, 100, 0)], 60)).toEqual([])
  })
})
