import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { type Edges, periodEnd } from '../../src/algorithms/index.ts'

const EDGES: Edges = [100, 110, 130]

describe('periodEnd', () => {
  it.each([
    [99, 100],
    [100, 110],
    [109, 110],
    [110, 130],
    [129, 130],
  ])('the period of instant %i ends at %i', (now, end) => {
    expect(periodEnd(EDGES, now)).toBe(end)
  })

  it('periodEnd finds an end for instants outside the edges: after the instant, and at most a period away', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 * 86_400e6 }),
        fc.integer({ min: 1, max: 400 * 86_400e6 }),
        fc.integer({ min: -4e15, max: 4e15 }),
        (first, second, now) => {
          const edges: Edges = [1e15, 1e15 + first, 1e15 + first + second]
          const end = periodEnd(edges, now)
          const length = now < edges[1] ? first : second
          return Number.isSafeInteger(end) && end > now && end - length <= now
        },
      ),
    )
  })
})
