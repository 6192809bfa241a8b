import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { HeavyKeys } from '../../src/telemetry/heavy-keys.ts'

function counted(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

describe('HeavyKeys', () => {
  it('HeavyKeys is exact while all keys fit', () => {
    const heavy = new HeavyKeys(3)
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) heavy.add(key)
    expect(heavy.top(2)).toEqual([
      { key: 'a', count: 3, error: 0 },
      { key: 'b', count: 2, error: 0 },
    ])
  })

  it('HeavyKeys bounds each count from both sides, whatever keys come', () => {
    const stream = fc.array(
      fc.nat({ max: 30 }).map(n => `k${Math.floor(Math.sqrt(n))}${n % 3}`),
      { maxLength: 400 },
    )
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 8 }), (keys, size) => {
        const heavy = new HeavyKeys(size)
        for (const key of keys) heavy.add(key)
        const [truth, top] = [counted(keys), heavy.top(size)]
        for (const { key, count, error } of top) {
          expect(count).toBeGreaterThanOrEqual(truth.get(key) ?? 0)
          expect(count - error).toBeLessThanOrEqual(truth.get(key) ?? 0)
        }
        const named = new Set(top.map(({ key }) => key))
        for (const [key, count] of truth) if (count > keys.length / size) expect(named).toContain(key)
        expect(top.reduce((sum, { count }) => sum + count, 0)).toBe(keys.length)
      }),
    )
  })

  it('HeavyKeys finds the frequent keys in a flood of others, in bounded memory', () => {
    const heavy = new HeavyKeys(100)
    for (let i = 0; i < 50_000; i++) {
      heavy.add(`stranger:${i}`)
      if (i % 20 === 0) heavy.add('mallory')
    }
    expect(heavy.top(1)[0]?.key).toBe('mallory')
    expect(heavy.top(1000)).toHaveLength(100)
  })
})
