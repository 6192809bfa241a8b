import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { parseDuration } from '../../src/base/duration.ts'
import { mistake } from '../world.ts'

const read = (value: unknown): number => parseDuration(value, 'window')

describe('parseDuration', () => {
  it.each([
    [1, 1e6],
    [60, 60e6],
    [0.001, 1000],
    [0.5, 500_000],
    [31_622_400, 366 * 86_400e6],
    ['500ms', 500_000],
    ['1ms', 1000],
    ['10s', 10e6],
    ['1m', 60e6],
    ['1.5h', 5400e6],
    ['7d', 7 * 86_400e6],
    [' 1 m ', 60e6],
  ])('parseDuration reads %o as %d microseconds', (value, micros) => {
    expect(read(value)).toBe(micros)
  })

  it.each(['1M', '1w', '1y', 's', '.5s', '1.s', '+1s', '1s 2ms', 'P1D', '١s', '1 s s'])(
    'parseDuration refuses %o',
    value => {
      expect(mistake(() => read(value)).code).toBe('HALT_E_DURATION')
    },
  )

  it.each([
    ['1 minute', '1m'],
    ['30 seconds', '30s'],
    ['2 Hours', '2h'],
    ['500 msecs', '500ms'],
    ['1.5 days', '1.5d'],
    ['2 weeks', '14d'],
  ])('parseDuration refuses %o, and tells to write %o', (value, written) => {
    expect(mistake(() => read(value)).fix).toMatch(`Write "${written}". `)
  })

  it('parseDuration returns whole microseconds within its range, or throws an error with the given code', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.string(), fc.anything()), value => {
        let micros
        try {
          micros = parseDuration(value, 'window', 'HALT_E_WINDOW')
        } catch (error) {
          expect((error as { code: string }).code).toBe('HALT_E_WINDOW')
          return
        }
        expect(Number.isInteger(micros) && micros >= 1000 && micros <= 366 * 86_400e6).toBe(true)
      }),
    )
  })

  it('parseDuration reads seconds as a number and as text alike', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 31_622_400 }), seconds => {
        expect(read(`${seconds}s`)).toBe(read(seconds))
        expect(read(`${seconds * 1000}ms`)).toBe(read(seconds))
      }),
    )
  })
})
