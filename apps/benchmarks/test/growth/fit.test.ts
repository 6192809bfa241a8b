import { describe, expect, it } from 'vitest'

import { fit, type Point } from '../../src/growth/fit.ts'

const curve = (...nanos: readonly [size: number, nanos: number][]): Point[] =>
  nanos.map(([size, each]) => ({ size, nanos: each }))

describe('fit', () => {
  it('a fit finds the slope of a straight line', () => {
    const found = fit(curve([1, 600], [2, 900], [4, 1500], [8, 2700]), Number)
    expect(found.slope).toBeCloseTo(300)
    expect(found.off).toBeCloseTo(1)
    expect(found.isFlat).toBe(false)
  })

  it('a fit finds a flat line among points that differ by less than a fifth', () => {
    const found = fit(curve([1, 500], [10, 520], [100, 490], [1000, 510]), Number)
    expect(found.isFlat).toBe(true)
    expect(found.off).toBeLessThan(1.1)
  })

  it('a fit gives the small sizes the weight of the large ones', () => {
    const { slope, off } = fit(curve([1, 110], [10, 200], [10_000, 100_100]), Number)
    expect(slope).toBeCloseTo(10)
    expect(off).toBeCloseTo(1)
  })

  it('a fit tells that a step is far from a line', () => {
    expect(fit(curve([1, 900], [2, 900], [4, 3200], [8, 3300]), Number).off).toBeGreaterThan(1.25)
  })

  it('a fit tells that a parabola is far from a line', () => {
    expect(fit(curve([1, 100], [2, 400], [4, 1600], [8, 6400]), Number).off).toBeGreaterThan(1.25)
  })
})
