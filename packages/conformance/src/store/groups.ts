import { RateLimiter } from '@halt/core'
import { algorithms, type Demand, Mode, PenaltyMode, penaltyUntil } from '@halt/core/store'
import { compilePenalty } from '@halt/core/testing'

import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { answerOf, demandOf, ruleOf, withStore } from './bench.ts'

const SECOND = 1e6

/** Groups of demands: charged together or not at all, under one penalty, once per idempotency key. */
export function testGroups({ describe, it, expect }: Runner, factory: StoreFactory): void {
  describe('groups', () => {
    const wide = ruleOf('token-bucket', { limit: 10, counter: 'wide' })
    const narrow = ruleOf('fixed-window', { limit: 3, counter: 'narrow' })

    it('a group charges all demands or none', () =>
      withStore(factory, async ({ ask, take }) => {
        const demands = [demandOf(wide), demandOf(narrow)]
        for (let i = 0; i < 9; i++) await ask({ demands })
        expect((await take(wide, 0)).remaining).toBe(7)
        expect((await take(narrow, 0)).remaining).toBe(0)
      }))

    it('a group charges all demands or none on several subjects', () =>
      withStore(factory, async ({ ask, take }) => {
        const demands = [demandOf(wide, 1, { subject: 'ip:203.0.113.7' }), demandOf(narrow)]
        for (let i = 0; i < 9; i++) await ask({ demands })
        expect((await take(wide, 0, { subject: 'ip:203.0.113.7' })).remaining).toBe(7)
        expect((await take(narrow, 0)).remaining).toBe(0)
      }))

    it('a refusal starts the cool-down of the rule that refuses, and not of a rule that would pass', () =>
      withStore(factory, async bench => {
        const strict = ruleOf('token-bucket', { limit: 2, cooldown: 30, counter: 'strict' })
        const relaxed = ruleOf('token-bucket', { limit: 5, cooldown: 30, counter: 'relaxed' })
        const demands = [demandOf(strict), demandOf(relaxed)]
        for (let i = 0; i < 3; i++) await bench.ask({ demands })
        expect((await bench.take(strict, 0)).passes).toBe(false)
        expect((await bench.take(relaxed, 3)).passes).toBe(true)
      }))

    it('no shadow demand refuses the group, which charges it only with the others', () =>
      withStore(factory, async ({ ask, take }) => {
        const shadow = demandOf(narrow, 1, { mode: Mode.SHADOW })
        const evaluations = []
        for (let i = 0; i < 12; i++) evaluations.push(await ask({ demands: [demandOf(wide), shadow] }))
        expect(evaluations.filter(({ allowed }) => allowed).length).toBe(10)
        expect(evaluations.filter(({ passes }) => passes[1]).length).toBe(3)
        expect((await take(narrow, 0)).remaining).toBe(0)
      }))

    it('a group is charged once per idempotency key, and a refusal keeps no key', () =>
      withStore(factory, async bench => {
        const idempotency = { subject: 'user:42', counter: 'wide@key1:i', window: 10 * SECOND }
        const first = await bench.ask({ demands: [demandOf(wide, 4)], idempotency })
        const again = await bench.ask({ demands: [demandOf(wide, 4)], idempotency })
        expect([first.repeated, again.repeated, again.allowed]).toEqual([false, true, true])
        expect((await bench.take(wide, 0)).remaining).toBe(6)
        const other = { ...idempotency, counter: 'wide@key2:i' }
        expect((await bench.ask({ demands: [demandOf(wide, 7)], idempotency: other })).allowed).toBe(false)
        expect((await bench.ask({ demands: [demandOf(wide, 6)], idempotency: other })).repeated).toBe(false)
        bench.now += 10 * SECOND
        expect((await bench.ask({ demands: [demandOf(wide, 4)], idempotency })).repeated).toBe(false)
      }))

    it('a group keeps its idempotency key if it charges or will charge, and not otherwise', () =>
      withStore(factory, async ({ ask }) => {
        const other = { subject: 'ip:203.0.113.7' }
        const isKept = async (name: string, demands: readonly Demand[]): Promise<boolean> => {
          const idempotency = { subject: 'user:42', counter: `wide@${name}:i`, window: 10 * SECOND }
          await ask({ demands, idempotency })
          return (await ask({ demands, idempotency })).repeated
        }
        expect(await isKept('free', [demandOf(wide, 0)])).toBe(false)
        expect(await isKept('free2', [demandOf(wide, 0), demandOf(narrow, 0, other)])).toBe(false)
        expect(await isKept('peek', [demandOf(wide, 1, { mode: Mode.PEEK })])).toBe(false)
        expect(await isKept('part', [demandOf(wide, 0), demandOf(narrow, 1, other)])).toBe(true)
        expect(await isKept('held', [demandOf(wide, 0, { mode: Mode.DEFER })])).toBe(true)
        const shadow = demandOf(narrow, 3, { mode: Mode.SHADOW })
        expect(await isKept('shadow', [demandOf(wide, 0, other), shadow])).toBe(true)
        // The shadow demand no longer passes, so it is not charged.
        expect(await isKept('shadow2', [demandOf(wide, 0, other), shadow])).toBe(false)
        // A group without demands records that another one was charged.
        expect(await isKept('record', [])).toBe(true)
      }))
  })

  describe('idempotency keys', () => {
    const flight = ruleOf('concurrency', { limit: 2, window: 60, counter: 'flight' })
    const wide = ruleOf('token-bucket', { limit: 10, counter: 'wide' })

    it('a repeated call takes its own place in flight, and charges nothing else', () =>
      withStore(factory, async bench => {
        const idempotency = { subject: 'user:42', counter: 'wide@key1:i', window: 100 * SECOND }
        const group = {
          demands: [demandOf(wide, 4), demandOf(flight), demandOf(wide, 4, { subject: 'ip:1.2.3.4' })],
          idempotency,
        }
        const first = await bench.ask(group)
        const again = await bench.ask(group)
        expect([again.repeated, again.allowed, again.passes]).toEqual([true, true, [true, true, true]])
        const third = await bench.ask(group)
        expect([third.repeated, third.allowed, third.passes]).toEqual([true, false, [true, false, true]])
        expect(answerOf(demandOf(flight), third, 1).wait).toBe(60 * SECOND)
        const chargedTo = algorithms.c.chargedTo(first.states[1] ?? [], first.now, flight)
        await bench.take(flight, -1, { mode: Mode.SETTLE, chargedTo })
        expect((await bench.ask(group)).allowed).toBe(true)
        expect((await bench.take(wide, 0)).remaining).toBe(6)
        expect((await bench.take(wide, 0, { subject: 'ip:1.2.3.4' })).remaining).toBe(6)
      }))

    it('a repeated call starts the cool-down of a concurrency rule whose places are taken', () =>
      withStore(factory, async bench => {
        const strict = ruleOf('concurrency', { limit: 1, window: 600, cooldown: 30, counter: 'strict' })
        const idempotency = { subject: 'user:42', counter: 'strict@key1:i', window: 1000 * SECOND }
        const group = { demands: [demandOf(strict), demandOf(wide, 10)], idempotency }
        await bench.ask(group)
        const refused = await bench.ask(group)
        expect([refused.repeated, refused.allowed, refused.starts[0]]).toEqual([true, false, true])
      }))

    it('a repeated key with another cost or other policies is charged', () =>
      withStore(factory, async ({ store }) => {
        const policy = { name: 'p', limit: 20, window: 60, keyStrategy: 'user' } as const
        const other = { ...policy, name: 'other' }
        const limiter = new RateLimiter({ store, policy, warn: () => {} })
        const consume = async (options: object): Promise<number> =>
          (await limiter.consume({ user: '42' }, { idempotencyKey: 'k', ...options })).cost
        expect([await consume({ cost: 1 }), await consume({ cost: 1 })]).toEqual([1, 0])
        expect([await consume({ cost: 9 }), await consume({ cost: 9 })]).toEqual([9, 0])
        expect(await consume({ cost: { p: 9 } })).toBe(0)
        expect([await consume({ policy: other }), await consume({ policy: other })]).toEqual([1, 0])
        expect(await consume({ cost: 9, also: other })).toBe(9)
        expect((await limiter.peek({ user: '42' })).remaining).toBe(1)
      }))
  })

  describe('penalties', () => {
    const compiled = compilePenalty({
      threshold: 2,
      duration: 60,
      multiplier: 0.5,
      decayRate: 3600,
      cooldown: 2,
    })
    const rule = ruleOf('fixed-window', { limit: 10, window: 1 }, 0.5)
    const penalty = { rule: compiled.rule, subject: 'user:42', mode: PenaltyMode.WATCH, amount: 0 }
    // Its score outlives the penalty.
    const unforgiving = {
      ...penalty,
      rule: compilePenalty({ threshold: 2, duration: 60, decayRate: 0 }).rule,
      mode: PenaltyMode.RECORD,
    }
    const demand = demandOf(rule, 10, { penalized: true })

    it('a refusal is scored once per cool-down, and reduces the limit of the next decision', () =>
      withStore(factory, async bench => {
        const ask = (): ReturnType<typeof bench.ask> => bench.ask({ demands: [demand], penalty })
        await ask()
        for (let i = 0; i < 5; i++) await ask()
        expect(penaltyUntil(await ask())).toBe(0)
        bench.now += 2 * SECOND
        await ask()
        const second = await ask()
        // 1 point per second is forgiven, so the first violation is gone at the second one.
        expect(penaltyUntil(second)).toBe(0)
        const recorded = await bench.ask({
          demands: [],
          penalty: { ...penalty, mode: PenaltyMode.RECORD, amount: 2e6 },
        })
        expect(penaltyUntil(recorded)).toBe(bench.now + 60 * SECOND)
        bench.now += 2 * SECOND
        const held = await ask()
        expect(held.allowed).toBe(false)
        expect(answerOf(demand, held).wait).toBe(58 * SECOND)
        expect((await bench.ask({ demands: [{ ...demand, cost: 5 }], penalty })).allowed).toBe(true)
        bench.now += 58 * SECOND
        expect((await ask()).allowed).toBe(true)
      }))

    it('a refusal is not scored within the cool-down of the last one, though the score of that is gone', () =>
      withStore(factory, async bench => {
        const ask = (): ReturnType<typeof bench.ask> => bench.ask({ demands: [demand], penalty })
        const began = bench.now
        await ask()
        expect((await ask()).penalty.slice(2, 4)).toEqual([began, 1])
        // The score has decayed after a second, and the window is open again.
        bench.now += 1.5 * SECOND
        expect((await ask()).allowed).toBe(true)
        const refused = await ask()
        expect([refused.allowed, ...refused.penalty.slice(2, 4)]).toEqual([false, began, 1])
      }))

    it('a penalty starts when the score, rounded to a tenth, reaches the threshold', () =>
      withStore(factory, async bench => {
        const isActive = async (amount: number): Promise<boolean> =>
          penaltyUntil(await bench.ask({ demands: [], penalty: { ...unforgiving, amount } })) > 0
        expect([await isActive(1_949_999), await isActive(1)]).toEqual([false, true])
      }))

    it('a violation in the very instant in which a penalty ends starts the next one', () =>
      withStore(factory, async bench => {
        for (let nth = 1; nth <= 3; nth++) {
          const { penalty: state } = await bench.ask({
            demands: [],
            penalty: { ...unforgiving, amount: 2e6 },
          })
          expect([state[0], state[4]]).toEqual([bench.now + 60 * SECOND, nth])
          bench.now += 60 * SECOND
        }
      }))

    it('each further penalty is longer by the factor, up to the longest', () =>
      withStore(factory, async bench => {
        const escalation = { factor: 2.5, maxDuration: 100 }
        const { rule: harsh } = compilePenalty({ threshold: 2, duration: 10, decayRate: 0, escalation })
        const record = { ...penalty, rule: harsh, mode: PenaltyMode.RECORD, amount: 2e6 }
        for (const seconds of [10, 25, 62.5, 100, 100]) {
          expect(penaltyUntil(await bench.ask({ demands: [], penalty: record }))).toBe(
            bench.now + seconds * SECOND,
          )
          bench.now += seconds * SECOND
        }
      }))

    it('a penalty reduces the limit of all counters of its principal, whatever their subjects', () =>
      withStore(factory, async bench => {
        const places = ['user:42', 'user:42+ip:203.0.113.7', 'user:42+ip:198.51.100.1']
        const demands = places.map(subject => ({ ...demand, subject, cost: 6 }))
        const others = [{ ...demand, subject: 'user:43', penalized: false }]
        await bench.ask({ demands: [], penalty: { ...penalty, mode: PenaltyMode.APPLY, amount: 5 * SECOND } })
        const held = await bench.ask({ demands: [...demands, ...others], penalty })
        expect([held.allowed, held.passes]).toEqual([false, [false, false, false, true]])
        const less = demands.map(each => ({ ...each, cost: 5 }))
        expect((await bench.ask({ demands: [...less, ...others], penalty })).allowed).toBe(true)
        bench.now += 5 * SECOND
        expect((await bench.ask({ demands: [...demands, ...others], penalty })).allowed).toBe(true)
      }))

    it('a correction under a penalty leaves a bucket the numbers that it has, and the answer tells them', () =>
      withStore(factory, async bench => {
        const bucket = ruleOf('token-bucket', { capacity: 20 }, 0.5)
        await bench.take(bucket, 12)
        await bench.ask({ demands: [], penalty: { ...penalty, mode: PenaltyMode.APPLY, amount: 5 * SECOND } })
        const correction = demandOf(bucket, 1, { mode: Mode.SETTLE, penalized: true })
        const read = { ...penalty, mode: PenaltyMode.READ }
        const { states } = await bench.ask({ demands: [correction], penalty: read })
        expect(states[0]?.slice(0, 5)).toEqual([0, bench.now, 13 * bucket.unit, bucket.unit, bucket.rate])
      }))

    it('a store counts every one of 50 concurrent violations', () =>
      withStore(factory, async ({ ask }) => {
        const record = { ...penalty, mode: PenaltyMode.RECORD, amount: 100_000 }
        await Promise.all(Array.from({ length: 50 }, () => ask({ demands: [], penalty: record })))
        const { penalty: state } = await ask({ demands: [], penalty: { ...penalty, mode: PenaltyMode.READ } })
        expect(state[3]).toBe(50)
        expect(state[1]).toBe(5e6)
      }))

    it('a store applies a penalty by hand, and forgets it', () =>
      withStore(factory, async bench => {
        const apply = { ...penalty, mode: PenaltyMode.APPLY, amount: 5 * SECOND }
        expect(penaltyUntil(await bench.ask({ demands: [], penalty: apply }))).toBe(bench.now + 5 * SECOND)
        expect((await bench.ask({ demands: [demand], penalty })).allowed).toBe(false)
        await bench.store.forget([{ subject: 'user:42', counter: 'penalty:p' }])
        expect((await bench.ask({ demands: [demand], penalty })).allowed).toBe(true)
      }))
  })
}
