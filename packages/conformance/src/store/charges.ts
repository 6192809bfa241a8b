import { algorithms, codes, Mode } from '@halt/core/store'

import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { type Answer, ruleOf, withStore } from './bench.ts'

const SECOND = 1e6
const DAY = 86_400 * SECOND
const ALGORITHMS = (Object.keys(codes) as (keyof typeof codes)[]).filter(name => name !== 'quota')

/** Charges, refusals, cool-downs and settlements of each algorithm, and which counters are separate. */
export function testCharges({ describe, it, expect }: Runner, factory: StoreFactory): void {
  for (const algorithm of ALGORITHMS) {
    describe(`charges ${algorithm}`, () => {
      it('a store takes the cost and tells the remaining units', () =>
        withStore(factory, async ({ take }) => {
          const rule = ruleOf(algorithm)
          expect((await take(rule, 3)).remaining).toBe(7)
          expect((await take(rule, 7)).remaining).toBe(0)
          expect((await take(rule, 1)).passes).toBe(false)
        }))

      it('a store takes nothing for a refusal, however often it refuses', () =>
        withStore(factory, async ({ take }) => {
          const rule = ruleOf(algorithm)
          await take(rule, 6)
          for (let i = 0; i < 20; i++) expect((await take(rule, 5)).passes).toBe(false)
          expect((await take(rule, 4)).passes).toBe(true)
        }))

      it('a store takes nothing for a peek and nothing for a cost of 0', () =>
        withStore(factory, async ({ take }) => {
          const rule = ruleOf(algorithm)
          for (let i = 0; i < 20; i++) await take(rule, 1, { mode: Mode.PEEK })
          for (let i = 0; i < 20; i++) expect((await take(rule, 0)).passes).toBe(true)
          expect((await take(rule, 10)).passes).toBe(true)
        }))

      it('a cost above capacity never passes, charges nothing and starts no cool-down', () =>
        withStore(factory, async ({ take }) => {
          const rule = ruleOf(algorithm, { cooldown: 5 })
          const answer = await take(rule, 11)
          expect([answer.passes, answer.wait]).toEqual([false, Number.POSITIVE_INFINITY])
          expect((await take(rule, 10)).passes).toBe(true)
        }))

      it('the first refusal starts a cool-down, and later refusals do not extend it', () =>
        withStore(factory, async bench => {
          const rule = ruleOf(algorithm, { cooldown: 60 })
          await bench.take(rule, 10)
          expect((await bench.take(rule)).wait).toBe(60 * SECOND)
          for (let i = 0; i < 50; i++) {
            bench.now += SECOND
            expect((await bench.take(rule)).passes).toBe(false)
          }
          bench.now += 10 * SECOND - 1
          expect((await bench.take(rule, 0)).passes).toBe(false)
          bench.now += 1
          expect((await bench.take(rule, 10)).passes).toBe(true)
        }))

      it('a refund gives units back, at most those that still count', () =>
        withStore(factory, async bench => {
          const rule = ruleOf(algorithm)
          const charged = await bench.take(rule, 4)
          await bench.take(rule, 3)
          await settle(-4, charged)
          expect((await bench.take(rule, 0)).remaining).toBe(7)
          await settle(-100, charged)
          expect((await bench.take(rule, 0)).remaining).toBe(10)
          expect((await bench.take(rule, 11)).passes).toBe(false)

          async function settle(cost: number, { evaluation }: Answer): Promise<void> {
            const chargedTo = algorithms[rule.code].chargedTo(
              evaluation.states[0] ?? [],
              evaluation.now,
              rule,
            )
            await bench.take(rule, cost, { mode: Mode.SETTLE, chargedTo })
          }
        }))

      it('a settlement may overdraw, and nothing passes until the debt is paid back', () =>
        withStore(factory, async bench => {
          const rule = ruleOf(algorithm)
          await bench.take(rule, 25, { mode: Mode.SETTLE })
          const { passes, wait, remaining } = await bench.take(rule, 1)
          expect([passes, remaining]).toEqual([false, 0])
          bench.now += wait
          expect((await bench.take(rule, 1)).passes).toBe(true)
        }))

      it('a changed limit keeps the used units, and never gives more than the new limit', () =>
        withStore(factory, async ({ take }) => {
          await take(ruleOf(algorithm), 8)
          expect((await take(ruleOf(algorithm, { limit: 20 }), 0)).remaining).toBe(12)
          expect((await take(ruleOf(algorithm, { limit: 5 }), 1)).passes).toBe(false)
          expect((await take(ruleOf(algorithm), 0)).remaining).toBe(2)
        }))

      it('a store counts in windows of 1 ms and of 366 days', () =>
        withStore(factory, async bench => {
          const short = ruleOf(algorithm, { window: 0.001, counter: 'short' })
          await bench.take(short, 10)
          expect((await bench.take(short)).passes).toBe(false)
          bench.now += 2_000
          expect((await bench.take(short, 10)).passes).toBe(true)
          const long = ruleOf(algorithm, { window: 366 * 86_400, counter: 'long' })
          await bench.take(long, 10)
          bench.now += 30 * DAY
          expect((await bench.take(long, 10)).passes).toBe(false)
        }))

      it('a store admits nothing more when the clock steps back', () =>
        withStore(factory, async bench => {
          const rule = ruleOf(algorithm)
          await bench.take(rule, 10)
          for (let i = 0; i < 20; i++) {
            bench.now += i % 2 === 0 ? -3 * SECOND : 3 * SECOND
            expect((await bench.take(rule)).passes).toBe(false)
          }
        }))
    })
  }

  it('forget() removes a counter and its cool-down, and answers how many counters it removed', () =>
    withStore(factory, async ({ take, store }) => {
      const rule = ruleOf('token-bucket', { cooldown: 60 })
      await take(rule, 10)
      await take(rule)
      await take(rule, 1, { subject: 'user:43' })
      const counters = ['user:42', 'user:43', 'user:44'].map(subject => ({ subject, counter: rule.counter }))
      expect(await store.forget(counters)).toBe(2)
      expect(await store.forget(counters)).toBe(0)
      expect(await store.forget([])).toBe(0)
      expect((await take(rule, 10)).passes).toBe(true)
    }))

  it('a store counts subjects with unusual characters separately', () =>
    withStore(factory, async ({ take }) => {
      const rule = ruleOf('fixed-window', { limit: 1 })
      const subjects = [
        'custom:a',
        'custom:a b',
        'custom:{a}',
        'custom:{',
        'custom:}',
        'custom:\r\n',
        'custom:\0',
        'custom:*',
        'custom:\u00e9',
        'custom:e\u0301',
        'user:__proto__',
        'user:constructor',
        'custom:',
        'custom:"',
        "custom:'",
        'custom:[x]',
        'custom:?',
      ]
      for (const subject of subjects) expect((await take(rule, 1, { subject })).passes).toBe(true)
      for (const subject of subjects) expect((await take(rule, 1, { subject })).passes).toBe(false)
    }))

  it('a store counts a route separately from a subject with a similar name', () =>
    withStore(factory, async ({ take }) => {
      const whole = ruleOf('fixed-window', { limit: 1, counter: 'p' })
      const route = ruleOf('fixed-window', { limit: 1, counter: 'p@GET:/users/:id' })
      expect((await take(whole)).passes).toBe(true)
      expect((await take(route)).passes).toBe(true)
      expect((await take(route)).passes).toBe(false)
      expect((await take(route, 1, { subject: 'user:42 GET:/users/:id' })).passes).toBe(true)
    }))

  it('a store decides 200 concurrent requests exactly', () =>
    withStore(factory, async ({ take }) => {
      const rule = ruleOf('token-bucket', { limit: 50 })
      const answers = await Promise.all(Array.from({ length: 200 }, () => take(rule)))
      expect(answers.filter(({ passes }) => passes).length).toBe(50)
    }))
}
