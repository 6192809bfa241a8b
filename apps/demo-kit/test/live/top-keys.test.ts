import fc from 'fast-check'
import { expect, it } from 'vitest'

import { TopKeys } from '../../src/live/top-keys.ts'

it('the table holds every key above its share, with counts that are never too low and bounded above', () => {
  const key = fc.integer({ min: 0, max: 40 }).map(n => `user:${Math.floor(n ** 2 / 40)}`)
  fc.assert(
    fc.property(fc.array(key, { maxLength: 400 }), keys => {
      const top = new TopKeys(8)
      const truth = new Map<string, number>()
      for (const name of keys) {
        top.count(name, 'api', 'limited')
        truth.set(name, (truth.get(name) ?? 0) + 1)
      }
      const found = new Map(top.read(8).map(entry => [entry.key, entry]))
      for (const [name, { refused, excess }] of found) {
        expect(refused).toBeGreaterThanOrEqual(truth.get(name) ?? 0)
        expect(refused - excess).toBeLessThanOrEqual(truth.get(name) ?? 0)
      }
      for (const [name, count] of truth) if (count > keys.length / 8) expect(found.has(name)).toBe(true)
    }),
  )
})

it('the table stays bounded under a flood of keys', () => {
  const top = new TopKeys(64)
  for (let i = 0; i < 100_000; i++) top.count(`ip:${i}`, 'api', 'limited')
  expect(top.read(1000)).toHaveLength(64)
})
