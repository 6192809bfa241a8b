import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { PairMemo } from '../../src/base/bounded-memory.ts'

describe('PairMemo', () => {
  it('a PairMemo never keeps more entries than its size, and never returns the value of another pair', () => {
    const pair = fc.tuple(fc.constantFrom('a', 'b', 'a b', ''), fc.constantFrom('c', 'b c', 'c d', 'd', ''))
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.array(pair, { maxLength: 40 }), (size, pairs) => {
        const recent = new PairMemo<string>(size)
        for (const [first, second] of pairs) {
          const value = JSON.stringify([first, second])
          expect([undefined, value]).toContain(recent.get(first, second))
          recent.set(first, second, value)
          expect(recent.get(first, second)).toBe(value)
          expect(recent.size).toBeLessThanOrEqual(size)
        }
      }),
    )
  })

  it('a PairMemo keeps entries that are read during a flood of new pairs', () => {
    const recent = new PairMemo<number>(100)
    recent.set('counter', 'regular', 1)
    for (let i = 0; i < 10_000; i++) {
      recent.set(i % 3 === 0 ? 'counter' : `other ${i}`, `new ${i}`, i)
      if (i % 40 === 0) expect(recent.get('counter', 'regular')).toBe(1)
    }
    expect(recent.get('counter', 'new 0')).toBeUndefined()
  })

  it('a PairMemo counts an entry once, however often it is written', () => {
    const recent = new PairMemo<number>(100)
    for (let i = 0; i < 49; i++) recent.set('counter', 'x', i)
    expect(recent.get('counter', 'x')).toBe(48)
    expect(recent.size).toBe(1)
  })
})
