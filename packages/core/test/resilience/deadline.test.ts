import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { describe, expect, it } from 'vitest'

import { Deadline } from '../../src/resilience/deadline.ts'

const after = <T>(ms: number, value: T): Promise<T> =>
  new Promise(resolve => setTimeout(() => resolve(value), ms))
const deadline = (ms: number): Deadline => new Deadline(ms, () => new Error('late'))

describe('a deadline', () => {
  it('ends each call after the same time, whichever others ended before, and leaves those in time alone', async () => {
    const shared = deadline(40)
    const ends: string[] = []
    const call = (name: string, ms: number): Promise<unknown> =>
      shared.race(after(ms, name)).then(
        value => ends.push(value),
        (error: Error) => ends.push(`${name} ${error.message}`),
      )
    const first = [call('a', 500), call('b', 1), call('c', 500), call('d', 5)]
    await after(20, undefined)
    await Promise.all([...first, call('e', 500), call('f', 1)])
    expect(ends).toEqual(['b', 'd', 'f', 'a late', 'c late', 'e late'])
  })

  it('uses a value that comes too late, and tells of what nobody waited for', async () => {
    const used: number[] = []
    const use = (value: number): string => `used ${used.push(value)}`
    const settled = await deadline(10).follow(after(40, 7), use, error => `failed: ${String(error)}`)
    expect(settled).toBe('failed: Error: late')
    await after(50, undefined)
    expect(used).toEqual([7])
  })

  it('takes what the use of a value throws as a failure', async () => {
    const use = (): never => {
      throw new TypeError('no verdict')
    }
    expect(await deadline(1000).follow(after(1, 7), use, String)).toBe('TypeError: no verdict')
  })

  it('rejects with what the handling of a failure throws, in time and late', async () => {
    const fail = (error: unknown): never => {
      throw new Error('unhandled', { cause: error })
    }
    const refused = Promise.reject(new Error('refused'))
    await expect(deadline(1000).follow(refused, String, fail)).rejects.toThrow('unhandled')
    await expect(deadline(5).follow(after(50, 7), String, fail)).rejects.toThrow('unhandled')
  })

  it('holds nothing of a call that is over', async () => {
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
    // The last one may still be on the stack.
    expect(values.filter(ref => ref.deref() !== undefined).length).toBeLessThanOrEqual(1)
  })
})
