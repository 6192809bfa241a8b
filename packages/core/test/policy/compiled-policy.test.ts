import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { HaltError, type Policy } from '../../src/index.ts'
import { admitted, by, keyed, mistake, view, world } from '../world.ts'

const policy = (name: string, more: Partial<Policy> = {}): Policy =>
  ({ name, limit: 10, window: 60, ...more }) as Policy

describe('numbers that no double holds exactly', () => {
  it('numbers that no double holds exactly are refused at construction, with the fix', () => {
    const error = mistake(() => world().limiter({ name: 'huge', limit: 2 ** 31, window: '366d' }))
    expect(error.code).toBe('HALT_E_ARITHMETIC')
    expect(error.fix).toMatch(/smaller burst|another algorithm/)
    expect(mistake(() => world().limiter(policy('p', { limit: 7, window: '366d', burst: 1000 }))).code).toBe(
      'HALT_E_ARITHMETIC',
    )
  })

  it.each([
    [7_919_000_017, '1m', {}, 7_919_000_000],
    [98_765_432_101_234, '1d', {}, 98_764_800_000_000],
    [1_000_001, '1d', { burst: 1_000_000 }, undefined],
  ])('the error names the next lower limit of %i per %s that is exact', (limit, window, more, expected) => {
    const isExact = (lower: number): boolean => {
      try {
        world().limiter({ name: 'p', limit: lower, window, ...more })
        return true
      } catch {
        return false
      }
    }
    const error = mistake(() => world().limiter({ name: 'p', limit, window, ...more }))
    expect(error.code).toBe('HALT_E_ARITHMETIC')
    const named = Number(/the limit (\d+)/.exec(error.fix)?.[1])
    expect(isExact(named)).toBe(true)
    if (expected !== undefined) expect(named).toBe(expected)
    else for (let lower = limit - 1; lower > named; lower--) expect(isExact(lower)).toBe(false)
  })

  it('the error names a lower limit that a penalty can reduce exactly, too', () => {
    const penalty = { multiplier: 0.5 }
    const error = mistake(() =>
      world().limiter({ name: 'p', limit: 7_919_000_017, window: '1m' }, { penalty }),
    )
    const limit = Number(/the limit (\d+)/.exec(error.fix)?.[1])
    expect(() => world().limiter({ name: 'p', limit, window: '1m' }, { penalty })).not.toThrow()
    expect(limit).toBeGreaterThan(7_918_000_000)
  })

  it('a reduced limit that no double holds exactly is refused, even if the normal limit is exact', () => {
    const numbers = { name: 'p', limit: 1_000_000, window: '1d' }
    expect(() => world().limiter(numbers)).not.toThrow()
    // 1 000 000 shares its factors with a day; a third of it, 333 333, does not.
    expect(mistake(() => world().limiter(numbers, { penalty: { multiplier: 1 / 3 } })).code).toBe(
      'HALT_E_ARITHMETIC',
    )
  })

  it.each([
    [50_000_000, 1],
    [20_000_000, 2],
  ])(
    'a burst of %i lowers the ceiling of an address to %i bursts, which are counted to the last unit',
    async (burst, bursts) => {
      // By default ten keys of an address may take a burst each.
      const year = { name: 'p', limit: 390_625, burst, window: '366d', keyStrategy: 'api-key' } as const
      const limiter = world().limiter(year)
      const ask = async (key: string, cost: number): Promise<string> =>
        (await limiter.check(keyed(key), { cost })).reason
      for (let i = 1; i < bursts; i++) expect(await ask(`key ${i}`, burst)).toBe('ok')
      expect(await ask('last but one', burst - 1)).toBe('ok')
      expect([await ask('last', 1), await ask('too many', 1)]).toEqual(['ok', 'limited'])
    },
  )

  it('inexact numbers are refused, and all others count to the last unit, for any limit, window and burst', async () => {
    const numbers = fc.record({
      limit: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2 ** 31 })),
      window: fc.oneof(fc.constantFrom('1ms', '1m', '30d', '366d'), fc.integer({ min: 1, max: 100_000 })),
      burst: fc.option(fc.integer({ min: 1, max: 2 ** 31 }), { nil: undefined }),
    })
    await fc.assert(
      fc.asyncProperty(numbers, async ({ limit, window, burst }) => {
        const all = burst ?? limit
        let limiter
        try {
          limiter = world().limiter({ name: 'p', limit, window, burst })
        } catch (error) {
          expect((error as HaltError).code).toBe('HALT_E_ARITHMETIC')
          // Another draw takes the place of a refused one, so 100 policies count.
          return fc.pre(false)
        }
        expect((await limiter.check(view(), { cost: all })).remaining).toBe(0)
        expect((await limiter.check(view())).allowed).toBe(false)
      }),
      { numRuns: 100 },
    )
  })
})

describe('a changed policy on a live counter', () => {
  it('a changed policy applies at once, keeps used units, and never shows less than 0 left', async () => {
    const { limiter } = world()
    for (let i = 0; i < 8; i++) await limiter(policy('p', { algorithm: 'fixed-window' })).check(view())
    const lower = await limiter(policy('p', { algorithm: 'fixed-window', limit: 5 })).check(view())
    expect([lower.allowed, lower.remaining, lower.limit]).toEqual([false, 0, 5])
    const higher = await limiter(policy('p', { algorithm: 'fixed-window', limit: 20 })).check(view())
    expect([higher.allowed, higher.remaining]).toEqual([true, 11])
  })

  it('a changed plan keeps a bucket’s debt', async () => {
    const { limiter } = world()
    const free = policy('free', { counter: 'plan', limit: 100, keyStrategy: 'user' })
    const pro = policy('pro', { counter: 'plan', limit: 1000, keyStrategy: 'user' })
    for (let i = 0; i < 60; i++) await limiter(free).check(by('42'))
    expect((await limiter(pro).check(by('42'))).remaining).toBe(939)
    expect((await limiter(free).check(by('42'))).remaining).toBe(38)
  })

  it('a changed algorithm starts a new counter, without an error', async () => {
    const { limiter } = world()
    expect(await admitted(15, limiter(policy('p')))).toBe(10)
    expect(await admitted(15, limiter(policy('p', { algorithm: 'sliding-window' })))).toBe(10)
    expect(await admitted(1, limiter(policy('p')))).toBe(0)
  })
})

describe('a window of unusual length', () => {
  it('a window of 500 ms ends after 500 ms', async () => {
    const { clock, limiter } = world()
    const short = limiter(policy('p', { window: '500ms', algorithm: 'fixed-window' }))
    expect(await admitted(11, short)).toBe(10)
    clock.advance('499ms')
    expect(await admitted(1, short)).toBe(0)
    clock.advance('1ms')
    expect(await admitted(11, short)).toBe(10)
  })

  it.each(['token-bucket', 'fixed-window', 'sliding-window'] as const)(
    'a window of 30 days holds for 30 days, on a %s',
    async algorithm => {
      const { clock, limiter } = world()
      const long = limiter(policy('p', { window: '30d', algorithm, limit: 20 }))
      expect(await admitted(40, long)).toBe(20)
      clock.advance('1d')
      expect(await admitted(20, long)).toBe(0)
      clock.advance('32d')
      expect(await admitted(40, long)).toBe(20)
    },
  )
})
