import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limitsAround, narrow, type TriedLimit } from '../../src/replay/limits.ts'

/** Runs a search to its end. `refusedAt` says how many keys a limit refuses. */
function search(
  refusedAt: (limit: number) => number,
  keys: number,
  share: number,
): { found: number | undefined; passes: number } {
  const tried: TriedLimit[] = []
  let next = limitsAround({ name: 'a', limit: 100, window: 60 })
  for (let passes = 0; ; passes++) {
    tried.push(...next.map(limit => ({ limit, refused: 0, keysRefused: refusedAt(limit) })))
    const { found, next: more } = narrow(tried, keys, share)
    if (more.length === 0) return { found, passes }
    next = more
  }
}

it('limitsAround tries limits as large as Halt counts', () => {
  const around = (limit: number): readonly number[] => limitsAround({ name: 'p', limit, window: '1d' })
  expect(around(5e9)).toEqual([1.25e9, 2.5e9, 5e9, 10e9, 20e9])
  expect(around(900e12)).toEqual([225e12, 450e12, 900e12, 999_999_999_999_999])
})

describe('narrow', () => {
  it('narrow finds the smallest limit, in fewer than twenty passes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), smallest => {
        const { found, passes } = search(limit => (limit >= smallest ? 9 : 10), 1000, 0.01)
        expect(found).toBe(smallest)
        expect(passes).toBeLessThan(20)
      }),
    )
  })

  it('narrow finds none if even the greatest limit refuses too many keys', () => {
    expect(search(() => 10, 10, 0.5).found).toBeUndefined()
  })

  it('narrow takes a limit that refuses fewer than the share, not as many', () => {
    expect(search(limit => (limit >= 700 ? 9 : limit >= 300 ? 10 : 11), 1000, 0.01).found).toBe(700)
  })
})
