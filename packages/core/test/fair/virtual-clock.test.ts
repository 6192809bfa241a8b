// The virtual clock beside a book that adds the speed of every single microsecond.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { isTurn } from '../../src/algorithms/turn-share.ts'
import { advance, paceOf, speedAt, timeTo, withClock } from '../../src/algorithms/virtual-clock.ts'
import { compileRule } from '../../src/policy/rule-compiler.ts'

const rules = fc
  .record({
    limit: fc.integer({ min: 1, max: 5000 }),
    burst: fc.integer({ min: 1, max: 400 }),
    window: fc.constantFrom(1000, 5000, 50_000),
  })
  .map(({ limit, burst, window }) =>
    compileRule({
      algorithm: 'token-bucket',
      counter: 'p',
      limit,
      capacity: burst,
      window,
      precision: 1,
      cooldown: 0,
      floor: 1,
    }),
  )

/** The bands, as the page of the algorithm tells them: plenty, then ten bands, each four times as slow as the one before. */
function speedByBook(debt: number, { capacity, unit, rate }: Parameters<typeof speedAt>[1]): bigint {
  const room = BigInt(capacity) * BigInt(unit)
  const paid = (room + BigInt(rate) - 1n) / BigInt(rate)
  const most = 2n ** 46n < 2n ** 18n * paid ? 2n ** 46n : 2n ** 18n * paid
  const perUnit = most / BigInt(capacity) || 1n
  const top = (16n * perUnit * BigInt(capacity)) / paid || 1n
  const plenty = room - room / 2n
  // A tenth of the other half, but never less than a unit, or than two milliseconds pay back.
  const [tenth, one, brief] = [(room + 19n) / 20n, BigInt(unit), 2000n * BigInt(rate)]
  const longest = one > brief ? one : brief
  const band = tenth > longest ? tenth : longest
  const over = BigInt(debt) - plenty
  if (over <= 0n) return top
  const at = 1n + (over - 1n) / band
  return top / 4n ** ((at < 10n ? at : 10n) - 1n) || 1n
}

describe('a virtual clock', () => {
  it('a virtual clock runs as far as the speeds of all single microseconds add up to', () => {
    fc.assert(
      fc.property(
        rules,
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.integer({ min: 0, max: 3000 }),
        (rule, full, time) => {
          const debt = Math.floor(full * rule.capacity * rule.unit)
          let [sum, owed] = [0n, debt]
          for (let i = 0; i < time; i++, owed = Math.max(0, owed - rule.rate)) sum += speedByBook(owed, rule)
          expect(BigInt(advance(debt, time, rule))).toBe(sum)
        },
      ),
      { seed: 1, numRuns: 300 },
    )
  })

  it('a virtual clock has come to a distance at the told microsecond, and not at the one before', () => {
    fc.assert(
      fc.property(
        rules,
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.double({ min: 1e-6, max: 4, noNaN: true }),
        (rule, full, far) => {
          const debt = Math.floor(full * rule.capacity * rule.unit)
          const distance = Math.max(1, Math.floor(far * paceOf(rule).perUnit))
          const time = timeTo(distance, debt, rule)
          expect(advance(debt, time, rule)).toBeGreaterThanOrEqual(distance)
          expect(advance(debt, time - 1, rule)).toBeLessThan(distance)
        },
      ),
      { seed: 2, numRuns: 500 },
    )
  })

  it('a bucket with a virtual clock is kept until its debt is paid, and for the time of the clock then', () => {
    fc.assert(
      fc.property(rules, fc.double({ min: 0, max: 1, noNaN: true }), (rule, full) => {
        const debt = Math.floor(full * rule.capacity * rule.unit)
        const bucket = [0, 5_000_000, debt, rule.unit, rule.rate]
        const { until } = withClock(bucket, { reading: 0, epoch: 1 }, 5_000_000, rule)
        const paidAt = until - paceOf(rule).kept
        expect((paidAt - 5_000_000) * rule.rate).toBeGreaterThanOrEqual(debt)
        expect((paidAt - 5_000_001) * rule.rate).toBeLessThan(debt)
      }),
      { seed: 3, numRuns: 50 },
    )
  })

  it('a tenant needs no turn for units that leave what is plenty, and needs one for a unit more', () => {
    fc.assert(
      fc.property(rules, fc.integer({ min: 1, max: 9 }), (pool, units) => {
        const debt = paceOf(pool).plenty - units * pool.unit
        fc.pre(debt >= 0)
        // Its tag is far ahead of the clock.
        const state = [0, 9e15, 1e15, 1]
        const turn = { pool, debt, clock: { reading: 0, epoch: 1 }, weight: 1 }
        expect(isTurn(state, 5_000_000, units, turn)).toBe(true)
        expect(isTurn(state, 5_000_000, units + 1, turn)).toBe(false)
      }),
      { seed: 4, numRuns: 50 },
    )
  })
})
