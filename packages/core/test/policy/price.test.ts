import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type HaltError, priceOf, usd } from '../../src/index.ts'
import { mistake } from '../world.ts'

describe('usd', () => {
  it.each([
    [50, 50_000_000],
    [0, 0],
    [0.1 + 0.2, 300_000],
    [1e-6, 1],
    [999_999_999.99, 999_999_999_990_000],
    [999_999_999.999999, 999_999_999_999_999],
  ])('usd gives %d dollars in millionths', (dollars, micros) => {
    expect(usd(dollars)).toBe(micros)
  })

  it.each([Number.NaN, -1, '50', undefined, null, 1e9, Infinity])('usd refuses %o', dollars => {
    expect(mistake(() => usd(dollars as never)).code).toBe('HALT_E_PRICE')
  })
})

describe('priceOf', () => {
  it('priceOf adds up exactly, and rounds up once', () => {
    const price = priceOf({ input: 3, cached: 0.3, output: 15 })
    expect(price({ input: 1_000_000 })).toBe(3_000_000)
    expect(price({ input: 200, cached: 1000, output: 340 })).toBe(600 + 300 + 5100)
    // A third of a millionth each, three times: one, and not three.
    expect(priceOf({ a: 0.333333, b: 0.333333, c: 0.333334 })({ a: 1, b: 1, c: 1 })).toBe(1)
    expect(price({ cached: 1 })).toBe(1)
    expect(price({ output: 0 })).toBe(0)
    expect(price({ input: undefined, output: 2 })).toBe(30)
  })

  it('priceOf gives the sum in whole numbers of any size, for any prices and tokens', () => {
    const millionths = fc.integer({ min: 0, max: 500_000_000 })
    const tokens = fc.oneof(fc.integer({ min: 0, max: 2_000_000 }), fc.integer({ min: 0, max: 2 ** 36 }))
    fc.assert(
      fc.property(fc.array(fc.tuple(millionths, tokens), { minLength: 1, maxLength: 4 }), classes => {
        const named = classes.map(([rate, used], i) => [`class${i}`, rate, used] as const)
        const price = priceOf(Object.fromEntries(named.map(([name, rate]) => [name, rate / 1e6])))
        const sum = named.reduce((all, [, rate, used]) => all + BigInt(rate) * BigInt(used), 0n)
        const exact = sum / 1_000_000n + (sum % 1_000_000n > 0n ? 1n : 0n)
        expect(BigInt(price(Object.fromEntries(named.map(([name, , used]) => [name, used]))))).toBe(exact)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    [undefined],
    [{}],
    [[3, 15]],
    [{ input: '3' }],
    [{ input: -3 }],
    [{ input: Number.NaN }],
    [{ input: 0.000_000_1 }],
    [{ input: Infinity }],
  ])('priceOf refuses prices of %o', prices => {
    expect(mistake(() => priceOf(prices as never)).code).toBe('HALT_E_PRICE')
  })

  it.each([
    [{ input: 3, prompt_tokens: 3 }],
    [{ output: 3, completionTokens: 3 }],
    [{ cached: 3, cache_read_input_tokens: 3 }],
    [{ input: 3, output: 15, totalTokens: 1 }],
  ])('priceOf refuses classes that overlap: %o', prices => {
    const error = mistake(() => priceOf(prices as never))
    expect([error.code, error.message]).toEqual(['HALT_E_PRICE', expect.stringContaining('overlap')])
  })

  it.each([
    undefined,
    null,
    {},
    { input: undefined },
    { prompt_tokens: 5 },
    { input: 5, reasoning: 1 },
    { input: 1.5 },
    { input: -1 },
    { input: Number.NaN },
    { input: '7' },
    { input: 2 ** 53 },
    'many',
  ])('priceOf never prices a usage of %o at nothing', usage => {
    const price = priceOf({ input: 3, output: 15 })
    let thrown: unknown
    try {
      price(usage as never)
    } catch (error) {
      thrown = error
    }
    expect((thrown as HaltError).code).toBe('HALT_E_USAGE')
  })
})
