import { algorithms, Mode, MOST_COST, MOST_UNITS } from '@halt/core/store'

import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { demandOf, ruleOf, START, withStore } from './bench.ts'

const SECOND = 1e6
const edges = [START - SECOND, START + 9 * SECOND, START + 19 * SECOND] as const

/** Quotas, whose windows end at instants of a calendar, and leases of requests in flight. */
export function testQuotas({ describe, it, expect }: Runner, factory: StoreFactory): void {
  describe('quotas', () => {
    const rule = ruleOf('quota', { limit: 5 })

    it('a quota counts from edge to edge, exact to the microsecond', () =>
      withStore(factory, async bench => {
        expect((await bench.take(rule, 5, { edges })).resetAt).toBe(edges[1])
        bench.now = edges[1] - 1
        const refused = await bench.take(rule, 1, { edges })
        expect([refused.passes, refused.wait]).toEqual([false, 1])
        bench.now = edges[1]
        expect((await bench.take(rule, 5, { edges })).resetAt).toBe(edges[2])
        expect((await bench.take(rule, 1, { edges })).passes).toBe(false)
      }))

    it("a quota counts in the period of the store's clock when the clock of the application is ahead", () =>
      withStore(factory, async bench => {
        const ahead = [edges[1], edges[2], edges[2] + 10 * SECOND] as const
        expect((await bench.take(rule, 1, { edges: ahead })).resetAt).toBe(edges[1])
      }))

    it('a quota refunds only within the period that was charged', () =>
      withStore(factory, async bench => {
        const { evaluation } = await bench.take(rule, 5, { edges })
        const chargedTo = algorithms.q.chargedTo(evaluation.states[0] ?? [], evaluation.now, rule)
        bench.now = edges[1]
        await bench.take(rule, 5, { edges })
        await bench.take(rule, -5, { edges, mode: Mode.SETTLE, chargedTo })
        expect((await bench.take(rule, 0, { edges })).remaining).toBe(0)
      }))

    it('a quota that was reset keeps grants and holds, and gives back nothing of older charges, even in one microsecond', () =>
      withStore(factory, async bench => {
        const refund = async (cost: number, chargedTo = 0): Promise<number> =>
          (await bench.take(rule, cost, { edges, mode: Mode.SETTLE, chargedTo })).remaining
        const charge = async (cost: number): Promise<number> =>
          (await bench.take(rule, cost, { edges })).evaluation.states[0]?.[1] ?? 0
        await bench.take(rule, 10, { edges, mode: Mode.GRANT })
        await bench.take(rule, 2, { edges, terms: { keptFor: 2 * SECOND } })
        const before = await charge(3)
        expect((await bench.take(rule, 0, { edges, mode: Mode.RESET })).remaining).toBe(13)
        const after = await charge(6)
        expect(await refund(-3, before)).toBe(7)
        expect(await refund(-2, after)).toBe(9)
        await bench.take(rule, 0, { edges, mode: Mode.RESET })
        expect(await refund(-1, after)).toBe(13)
        bench.now = edges[1]
        expect((await bench.take(rule, 0, { edges, mode: Mode.RESET })).remaining).toBe(5)
      }))

    it('a quota allows the granted units beside the limit, until the period ends', () =>
      withStore(factory, async bench => {
        const grant = { edges, mode: Mode.GRANT }
        await bench.take(rule, 4, { edges })
        expect((await bench.take(rule, 3, grant)).remaining).toBe(4)
        expect((await bench.take(rule, 6, { edges, mode: Mode.PEEK })).wait).toBe(Number.POSITIVE_INFINITY)
        expect((await bench.take(rule, 2, { edges })).remaining).toBe(2)
        const second = await bench.take(rule, 4, grant)
        expect([second.remaining, second.evaluation.states[0]?.[3]]).toEqual([6, 7])
        // Above the limit in one call, which the grant allows.
        const whole = await bench.take(rule, 6, { edges })
        expect([whole.passes, whole.remaining]).toEqual([true, 0])
        const chargedTo = algorithms.q.chargedTo(whole.evaluation.states[0] ?? [], whole.evaluation.now, rule)
        expect((await bench.take(rule, -100, { edges, mode: Mode.SETTLE, chargedTo })).remaining).toBe(12)
        expect((await bench.take(rule, 12, { edges })).passes).toBe(true)
        const refused = await bench.take(rule, 1, { edges })
        expect([refused.passes, refused.wait]).toEqual([false, edges[1] - bench.now])
        bench.now = edges[1]
        expect((await bench.take(rule, 5, { edges })).remaining).toBe(0)
        expect((await bench.take(rule, 1, { edges })).passes).toBe(false)
      }))

    it('a quota gives granted units back, no more than were granted, and keeps what is used', () =>
      withStore(factory, async bench => {
        const grant = { edges, mode: Mode.GRANT }
        const idempotency = { subject: 'user:42', counter: 'q@back:i', window: SECOND, edges }
        // This period has no grant, so the store gives nothing back.
        expect((await bench.take(rule, -4, grant)).remaining).toBe(5)
        await bench.take(rule, 7, grant)
        await bench.take(rule, 9, { edges })
        for (let i = 0; i < 2; i++) await bench.ask({ demands: [demandOf(rule, -2, grant)], idempotency })
        const part = await bench.take(rule, 0, { edges, mode: Mode.PEEK })
        expect([part.remaining, part.evaluation.states[0]?.[2], part.evaluation.states[0]?.[3]]).toEqual([
          1, 9, 5,
        ])
        // Where calls hold units, too.
        await bench.take(rule, 1, { edges, terms: { keptFor: 2 * SECOND } })
        const most = await bench.take(rule, -3, grant)
        expect([most.remaining, most.evaluation.states[0]?.[3]]).toEqual([0, 2])
        bench.now += 3 * SECOND
        const all = await bench.take(rule, -100, grant)
        expect([all.remaining, all.evaluation.states[0]?.slice(2)]).toEqual([0, [9]])
        expect((await bench.take(rule, 6, grant)).remaining).toBe(2)
        bench.now = edges[1]
        expect((await bench.take(rule, -6, grant)).remaining).toBe(5)
      }))

    it('a quota keeps a grant of a period without a charge, separately for each subject', () =>
      withStore(factory, async bench => {
        const others = Array.from({ length: 20 }, (_, i) => `user:${i}`)
        for (const subject of others) await bench.take(rule, 2, { edges, subject })
        await bench.take(rule, 2 ** 33, { edges, mode: Mode.GRANT })
        expect((await bench.take(rule, 2 ** 33 + 5, { edges })).remaining).toBe(0)
        for (const subject of others)
          expect((await bench.take(rule, 0, { edges, subject })).remaining).toBe(3)
        const { evaluation } = await bench.take(rule, MOST_COST, { edges, mode: Mode.GRANT })
        expect(evaluation.states[0]?.[3]).toBe(MOST_UNITS)
      }))

    it('a quota grants once per idempotency key', () =>
      withStore(factory, async bench => {
        const idempotency = { subject: 'user:42', counter: 'q@topup:i', window: SECOND, edges }
        const group = { demands: [demandOf(rule, 3, { edges, mode: Mode.GRANT })], idempotency }
        for (let i = 0; i < 3; i++) await bench.ask(group)
        expect((await bench.take(rule, 0, { edges })).remaining).toBe(8)
      }))

    it('a quota admits exactly its limit of 100 concurrent calls', () =>
      withStore(factory, async bench => {
        const answers = await Promise.all(
          Array.from({ length: 100 }, () => bench.take(ruleOf('quota', { limit: 10 }), 1, { edges })),
        )
        expect(answers.filter(({ passes }) => passes).length).toBe(10)
      }))
  })

  describe('requests in flight', () => {
    const rule = ruleOf('concurrency', { limit: 2, window: 10 })
    const many = ruleOf('concurrency', { limit: 20, window: 10 })

    it('a place in flight is free again when it is released', () =>
      withStore(factory, async bench => {
        const { evaluation } = await bench.take(rule)
        await bench.take(rule)
        expect((await bench.take(rule)).passes).toBe(false)
        const chargedTo = algorithms.c.chargedTo(evaluation.states[0] ?? [], evaluation.now, rule)
        await bench.take(rule, -1, { mode: Mode.SETTLE, chargedTo })
        expect((await bench.take(rule)).passes).toBe(true)
        expect((await bench.take(rule)).passes).toBe(false)
      }))

    it('a place in flight whose release is lost is free as soon as the ttl is over', () =>
      withStore(factory, async bench => {
        await bench.take(rule)
        bench.now += 1
        await bench.take(rule)
        const refused = await bench.take(rule)
        expect([refused.passes, refused.wait]).toEqual([false, 10 * SECOND - 1])
        bench.now += 10 * SECOND - 2
        expect((await bench.take(rule)).passes).toBe(false)
        bench.now += 1
        expect((await bench.take(rule)).passes).toBe(true)
        expect((await bench.take(rule)).wait).toBe(1)
      }))

    it('a place in flight is free at most a sub-window late where the limit is above the sub-windows', () =>
      withStore(factory, async bench => {
        await bench.take(many, 20)
        bench.now += 10 * SECOND - 1
        expect((await bench.take(many)).passes).toBe(false)
        bench.now += SECOND
        expect((await bench.take(many, 20)).passes).toBe(true)
      }))
  })
}
