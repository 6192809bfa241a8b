import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { resilience } from '../../src/resilience/index.ts'
import { pace } from '../../src/waiting/index.ts'
import { mistake } from '../world.ts'
import { otherProcess, passingWorld } from './passing-world.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('pace', () => {
  it('turns come at even distances, in the order of the calls', async () => {
    const { store, pass, now } = passingWorld()
    const own = pace('10/s', { store })
    const turns: [string, number][] = []
    for (const name of ['a', 'b', 'c', 'd']) void own.turn().then(() => turns.push([name, now()]))
    await pass(1000)
    expect(turns).toEqual([
      ['a', 0],
      ['b', 100],
      ['c', 200],
      ['d', 300],
    ])
  })

  it('paces of one store and key share their turns, and another key has turns of its own', async () => {
    const { store, pass } = passingWorld()
    const paces = [store, { ...otherProcess(store), evaluator: resilience }].map(shared =>
      pace('10/s', { store: shared, key: 'mail' }),
    )
    const other = pace('10/s', { store, key: 'sms' })
    let turns = 0
    for (const own of paces) for (let i = 0; i < 10; i++) void own.turn().then(() => turns++)
    let others = 0
    void other.turn().then(() => others++)
    await pass(950)
    expect([turns, others]).toEqual([10, 1])
    await pass(1000)
    expect(turns).toBe(20)
  })

  it('run begins its work at its turn', async () => {
    const { store, pass, now } = passingWorld()
    const own = pace('10/s', { store })
    const began: number[] = []
    for (let i = 0; i < 3; i++) void own.run(() => began.push(now()))
    await pass(1000)
    expect(began).toEqual([0, 100, 200])
  })

  it('run gives what the work gives, and refuses after close()', async () => {
    vi.useRealTimers()
    const own = pace('1000/s')
    expect(await own.run(() => 7)).toBe(7)
    await expect(
      own.run(() => {
        throw new Error('broken')
      }),
    ).rejects.toThrow('broken')
    await own.close()
    await expect(Promise.all([own.turn(), own.turn(), own.turn()])).rejects.toMatchObject({
      code: 'HALT_E_CLOSED',
    })
  })

  it('a turn that is aborted goes to the next caller', async () => {
    const { store, pass, now } = passingWorld()
    const own = pace('10/s', { store })
    const leaving = new AbortController()
    const turns: number[] = []
    await own.turn()
    const left = own.turn({ signal: leaving.signal })
    void own.turn().then(() => turns.push(now()))
    await pass(50)
    leaving.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    await pass(200)
    expect(turns).toEqual([100])
  })

  it.each(['9/s', '9 / s', '9 per second', '540/m', '540 per minute', '1/111.111ms', '90/10s'])(
    'the pace "%s" is nine turns a second',
    async rate => {
      const { store, pass, now } = passingWorld()
      const own = pace(rate, { store })
      const turns: number[] = []
      for (let i = 0; i < 10; i++) void own.turn().then(() => turns.push(now()))
      await pass(1100)
      expect(turns).toHaveLength(10)
      for (const [i, at] of turns.entries()) expect(at).toBeCloseTo((i * 1000) / 9, -1)
    },
  )

  it.each([
    ['1/2h', 7_200_000],
    ['24 per day', 3_600_000],
    ['60/h', 60_000],
  ])('the pace "%s" is a turn in %i milliseconds', async (rate, distance) => {
    const { store, clock } = passingWorld()
    const own = pace(rate, { store })
    await own.turn()
    let turns = 0
    void own.turn().then(() => turns++)
    for (const [ms, expected] of [
      [distance - 100, 0],
      [200, 1],
    ] as const) {
      clock.advance(ms / 1000)
      await vi.advanceTimersByTimeAsync(ms)
      expect(turns).toBe(expected)
    }
  })

  it('work that is no function is refused before a turn', async () => {
    const { store } = passingWorld()
    const own = pace('1/h', { store })
    await expect(own.run(7 as never)).rejects.toMatchObject({ code: 'HALT_E_OPTION' })
    expect(await own.run(() => 7)).toBe(7)
  })

  it.each(['fast', '9', '0/s', '9/fortnight', '1.5/s', '-1/s', '9/0s', 9, undefined])(
    'the pace %j is refused',
    rate => {
      expect(mistake(() => pace(rate as never)).code).toBe('HALT_E_PACE')
    },
  )

  it('an unknown option is refused', () => {
    expect(mistake(() => pace('9/s', { burst: 5 } as never)).code).toBe('HALT_E_UNKNOWN_FIELD')
    expect(mistake(() => pace('9/s', { key: '' })).code).toBe('HALT_E_OPTION')
  })
})
