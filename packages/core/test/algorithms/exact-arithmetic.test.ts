// A bucket computes in doubles. Here each answer is compared with that of whole numbers of any size, for rules up to the largest that a
// policy may have, where doubles hold no more than the debt.
//
// Why no answer can differ: an admitted debt is at most 2^52. A sum that doubles cannot hold is above 2^53, and rounding keeps the order,
// so it does not fit either. A division of numbers below 2^52 differs from the next whole number by more than doubles lose there.
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { MAX_EXACT, MOST_COST, type Rule, type State } from '../../src/algorithms/index.ts'
import { tokenBucket } from '../../src/algorithms/token-bucket.ts'
import { compileRule } from '../../src/policy/rule-compiler.ts'

const YEAR = 366 * 86_400e6

/** Numbers from 1 to a bound, as many small as large ones, and those next to it. */
function upTo(most: number): fc.Arbitrary<number> {
  const size = fc.double({ min: 0, max: Math.log2(most), noNaN: true })
  const any = size.map(log => Math.min(most, Math.max(1, Math.floor(2 ** log))))
  return fc.oneof(
    any,
    fc.nat(3).map(less => Math.max(1, most - less)),
  )
}

/** The rule of a policy whose burst is the largest that is accepted, or less. */
const rules = fc
  .record({
    limit: upTo(1e12),
    window: upTo(YEAR),
    part: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map(({ limit, window, part }): Rule | undefined => {
    const make = (capacity: number): Rule =>
      compileRule({
        algorithm: 'token-bucket',
        counter: 'p',
        limit,
        capacity,
        window,
        precision: 1,
        cooldown: 0,
        floor: 1,
      })
    try {
      const { unit } = make(1)
      const largest = Math.floor(MAX_EXACT / 2 / unit)
      return make(Math.max(1, Math.floor(largest * part)))
    } catch {
      return undefined
    }
  })

/** A bucket, and what is asked of it. */
const scenes = rules.chain(rule =>
  fc.record({
    rule: fc.constant(rule),
    // Of the capacity; a debt may be at most that.
    owed: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
    less: fc.nat(2),
    elapsed: fc.oneof(fc.constant(0), upTo(10 * YEAR)),
    cost: rule === undefined ? fc.constant(1) : fc.oneof(upTo(rule.capacity), upTo(MOST_COST)),
  }),
)

it('a bucket answers as whole numbers of any size do, for every rule that a policy may have', () => {
  let [admitted, refused, inexact] = [0, 0, 0]
  const check = (scene: typeof scenes extends fc.Arbitrary<infer T> ? T : never): void => {
    const { rule, owed, less, elapsed, cost } = scene
    fc.pre(rule !== undefined)
    const { unit, rate, capacity } = rule
    expect(BigInt(capacity) * BigInt(unit)).toBeLessThanOrEqual(2n ** 52n)
    const debt = Math.max(0, Math.floor(capacity * unit * owed) - less)
    const now = 1.7e15 + elapsed
    const state: State = [0, 1.7e15, debt, unit, rate]
    const paid = BigInt(debt) - BigInt(elapsed) * BigInt(rate)
    const exact = paid > 0n ? paid : 0n
    const over = exact + BigInt(cost) * BigInt(unit) - BigInt(capacity) * BigInt(unit)
    expect(tokenBucket.fits(state, now, cost, rule)).toBe(over <= 0n)
    const wait =
      cost > capacity ? Infinity : over <= 0n ? 0 : Number((over + BigInt(rate) - 1n) / BigInt(rate))
    expect(tokenBucket.wait(state, now, cost, rule)).toBe(wait)
    if (cost * unit > MAX_EXACT) inexact++
    if (over > 0n) return void refused++
    admitted++
    tokenBucket.charge(state, now, cost, rule)
    expect(BigInt(state[2]!)).toBe(exact + BigInt(cost) * BigInt(unit))
  }
  fc.assert(fc.property(scenes, check), { numRuns: 10_000 })
  for (const times of [admitted, refused, inexact]) expect(times).toBeGreaterThan(500)
})
