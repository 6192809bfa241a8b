import { Mode, shareRuleOf, type Terms } from '@halt/core/store'
import { ReferenceStore } from '@halt/core/testing'

import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { answerOf, type Bench, demandOf, ruleOf, withStore } from './bench.ts'

const SECOND = 1e6

/** Partial grants, and the units that are left to others. */
export function testTerms({ describe, it, expect }: Runner, factory: StoreFactory): void {
  for (const algorithm of ['token-bucket', 'fixed-window', 'sliding-window', 'concurrency'] as const)
    describe(`terms of ${algorithm}`, () => {
      it('a store grants the units that are left, and at least those that are accepted', () =>
        withStore(factory, async bench => {
          const rule = ruleOf(algorithm)
          const grant = async (cost: number, least: number): Promise<unknown[]> => {
            const { allowed, grants } = (await bench.take(rule, cost, { terms: { least } })).evaluation
            return [allowed, grants]
          }
          expect(await grant(6, 2)).toEqual([true, [6]])
          expect(await grant(6, 5)).toEqual([false, undefined])
          expect(await grant(6, 2)).toEqual([true, [4]])
          expect(await grant(6, 2)).toEqual([false, undefined])
          expect((await bench.take(rule, 0)).remaining).toBe(0)
        }))

      it('a store grants all demands of a group as many units as the counter with the fewest has', () =>
        withStore(factory, async bench => {
          const [own, all] = [ruleOf(algorithm), ruleOf(algorithm, { limit: 7, counter: 'all' })]
          const demands = [
            demandOf(own, 9, { terms: { least: 1 } }),
            demandOf(all, 9, { terms: { least: 1 } }),
          ]
          const evaluation = await bench.ask({ demands })
          expect([evaluation.allowed, evaluation.grants]).toEqual([true, [7, 7]])
          expect(demands.map((demand, i) => answerOf(demand, evaluation, i).remaining)).toEqual([3, 0])
        }))

      it('a demand with headroom leaves the share of others, and starts no cool-down for it', () =>
        withStore(factory, async bench => {
          const rule = ruleOf(algorithm, { cooldown: 60 })
          const terms = { headroom: 0.25 }
          const low = (cost: number): ReturnType<Bench['take']> => bench.take(rule, cost, { terms })
          expect((await low(6)).passes).toBe(true)
          for (let i = 0; i < 3; i++) {
            const { passes, remaining, evaluation } = await low(2)
            expect([passes, remaining, evaluation.starts.includes(true)]).toEqual([false, 1, false])
          }
          expect((await low(1)).passes).toBe(true)
          expect((await bench.take(rule, 3)).passes).toBe(true)
          expect((await low(1)).evaluation.starts).toEqual([true])
        }))
    })

  describe('units that a caller keeps before it uses them', () => {
    // 10 units per 10 seconds.
    const rule = ruleOf('token-bucket')
    const terms = { keptFor: 4 * SECOND }

    it('units that a caller keeps are charged as if they were used at the end of that time', () =>
      withStore(factory, async bench => {
        expect((await bench.take(rule, 2, { terms })).remaining).toBe(4)
        // The bucket owes more than the time pays back, so only the units count.
        expect((await bench.take(rule, 1, { terms })).remaining).toBe(3)
        expect((await bench.take(rule, 3)).passes).toBe(true)
        expect((await bench.take(rule, 1)).passes).toBe(false)
      }))

    it('units that a caller keeps are given back without those that time has paid back since', () =>
      withStore(factory, async bench => {
        const { now } = (await bench.take(rule, 8)).evaluation
        bench.now += 3 * SECOND
        expect((await bench.take(rule, 0)).remaining).toBe(5)
        const giveBack = (units: number): ReturnType<Bench['take']> =>
          bench.take(rule, -units, { mode: Mode.SETTLE, chargedTo: now })
        expect((await giveBack(5)).remaining).toBe(7)
        expect((await giveBack(2)).remaining).toBe(7)
      }))
  })

  describe('a tenant that waits for its share of a bucket', () => {
    // 10 units a second. A tag is kept for 16 times as long as 100 units take. How long the clock takes to a tag, a book says in core's tests.
    const pool = ruleOf('token-bucket', { limit: 100, window: 10 })
    for (const [until, charged, ofOthers, later, wait] of [
      ['the clock of the bucket reaches its tag', 100, 0, 0, 4_958_334],
      ['its tag is forgotten', 1000, 9000, 160.5 * SECOND, 0.25 * SECOND],
    ] as const)
      it(`a tenant that waits for its share of a bucket starts as soon as ${until}, and is refused if it does not wait so long`, () =>
        withStore(factory, async bench => {
          const take = async (tenant: string, cost: number, more: Partial<Terms> & { mode?: Mode } = {}) => {
            const { mode = Mode.CHARGE, ...terms } = more
            const share = { rule: shareRuleOf(pool, tenant), weight: 1 }
            return (await bench.take(pool, cost, { mode, terms: { share, ...terms } })).evaluation
          }
          await take('user:1', charged, { mode: Mode.SETTLE })
          await take('user:2', ofOthers, { mode: Mode.SETTLE })
          bench.now += later
          expect((await take('user:1', 1, { maxWait: wait - 1 })).startsIn).toBe(undefined)
          const told = await take('user:1', 1, { maxWait: wait })
          expect([told.allowed, told.startsIn]).toEqual([false, wait])
        }))
  })

  describe('places of a pool that tenants share', () => {
    for (const [limit, weight, most] of [
      // the places, the weight of a lone tenant, and how many it may hold: 4 times its weight what stays free, up to a fifth of the limit
      [1, 1, 1],
      [7, 100, 5],
      [23, 1, 18],
      [23, 100, 18],
      [44, 1, 35],
      [44, 100, 39],
    ] as const)
      it(`of ${limit} places a lone tenant of weight ${weight} may hold ${most}`, () =>
        withStore(factory, async bench => {
          const pool = ruleOf('concurrency', { limit })
          const share = { rule: shareRuleOf(pool, 'user:1'), weight }
          const ask = async (): Promise<boolean> => {
            const demands = [demandOf(pool, 1, { terms: { share } })]
            return (await bench.ask({ demands })).allowed
          }
          let held = 0
          while (held < limit && (await ask())) held++
          expect(held).toBe(most)
        }))

    for (const [limit, weight] of [
      [23, 1],
      [44, 2],
      [44, 100],
    ] as const)
      it(`of ${limit} places a tenant of weight ${weight} is told the wait for any number as by the reference`, () =>
        withStore(factory, async bench => {
          const reference = new ReferenceStore(() => bench.now / 1000)
          const pool = ruleOf('concurrency', { limit })
          const ask = async (tenant: string, cost: number): Promise<readonly unknown[]> => {
            const share = { rule: shareRuleOf(pool, tenant), weight }
            const group = { demands: [demandOf(pool, cost, { terms: { share, maxWait: 3600 * SECOND } })] }
            const [actual, expected] = [await bench.ask(group), reference.evaluate(group)]
            expect([actual.allowed, actual.startsIn]).toEqual([expected.allowed, expected.startsIn])
            return [actual.allowed, actual.startsIn]
          }
          // Both take what they may, a place a tenth of a second, so that each place ends at another instant.
          for (let i = 0; i < limit; i++) {
            await ask(`user:${(i % 3) >> 1}`, 1)
            bench.now += SECOND / 10
          }
          const told = []
          for (let cost = 2; cost < limit; cost += 2) told.push((await ask('user:0', cost))[1])
          expect(new Set(told).size > 2).toBe(true)
        }))
  })
}
