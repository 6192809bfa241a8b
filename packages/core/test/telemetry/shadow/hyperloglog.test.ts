import { describe, expect, it } from 'vitest'

import { HyperLogLog } from '../../../src/telemetry/shadow/survey.ts'

describe('HyperLogLog', () => {
  it('HyperLogLog counts no strings as 0, and each string once', () => {
    const distinct = new HyperLogLog()
    expect(distinct.count).toBe(0)
    for (let i = 0; i < 1000; i++) distinct.add('user:42')
    expect(distinct.count).toBe(1)
  })

  // Four standard errors, for each form of key.
  it.each([10, 300, 3_000, 50_000, 400_000])('HyperLogLog counts %d within some per cent', size => {
    for (const keyOf of [
      (i: number) => `user:${i}`,
      (i: number) => `ip:10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
      (i: number) => `api-key:#${i.toString(36).padStart(22, 'A')}`,
    ]) {
      const distinct = new HyperLogLog()
      for (let i = 0; i < size; i++) distinct.add(keyOf(i))
      expect(Math.abs(distinct.count - size) / size, keyOf(0)).toBeLessThan(0.092)
    }
  })

  it('HyperLogLog is almost exact for small numbers', () => {
    const distinct = new HyperLogLog()
    for (let i = 0; i < 100; i++) distinct.add(`user:${i}`)
    expect(Math.abs(distinct.count - 100)).toBeLessThanOrEqual(4)
  })
})
