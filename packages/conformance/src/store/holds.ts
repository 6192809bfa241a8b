import { algorithms, type Demand, Mode, type State } from '@halt/core/store'

import { type Answer, type Bench, ruleOf, START, withStore } from './bench.ts'
import { type BookedHold, HoldBook } from './hold-book.ts'
import { randomNumbers } from './random-numbers.ts'
import type { Runner } from '../runner.ts'
import { seedsOf } from './seeds.ts'
import type { StoreFactory } from './store-factory.ts'

const SECOND = 1e6
const TTL = 8 * SECOND
const LENGTHS = [1, 1.5, 2, 3, 5, 8, 11, 17, 30, 45, 59, 3600].map(seconds => seconds * SECOND)
const LARGEST = 999_999_999_999_999
const edges = [START, START + 1000 * SECOND, START + 2000 * SECOND] as const

/** Units of a quota that calls hold before they use them. */
export function testHolds({ describe, it, expect }: Runner, factory: StoreFactory): void {
  describe('holds', () => {
    const rule = ruleOf('quota', { limit: 100 })
    const reserve = (bench: Bench, units: number, ttl = TTL): Promise<Answer> =>
      bench.take(rule, units, { edges, terms: { keptFor: ttl } })
    const left = async (bench: Bench): Promise<number> => (await bench.take(rule, 0, { edges })).remaining
    const endOf = ({ evaluation }: Answer, ttl = TTL): number =>
      Number(algorithms.q.holds?.end(evaluation.states[0] ?? [], evaluation.now, ttl))
    const settle = (bench: Bench, cost: number, to: number, units: number): Promise<Answer> =>
      bench.take(rule, cost, {
        edges,
        mode: Mode.SETTLE,
        chargedTo: edges[1],
        terms: { held: { to, units } },
      })

    it('held units count against the limit until their time is over, at most a quarter of it later', () =>
      withStore(factory, async bench => {
        const answer = await reserve(bench, 60)
        expect(answer.remaining).toBe(40)
        const refused = await reserve(bench, 41)
        expect([refused.passes, refused.wait]).toEqual([false, endOf(answer) - bench.now])
        bench.now += TTL
        expect(await left(bench)).toBe(40)
        bench.now += TTL / 4
        expect(await left(bench)).toBe(100)
      }))

    it('held units are settled to the used ones, and the rest is free at once', () =>
      withStore(factory, async bench => {
        const to = endOf(await reserve(bench, 60))
        expect((await settle(bench, 25, to, 60)).remaining).toBe(75)
        await settle(bench, 5, to, 60)
        expect(await left(bench)).toBe(70)
      }))

    it('a call pays with the units that it holds, also where the limit was lowered below what is used', () =>
      withStore(factory, async bench => {
        await bench.take(rule, 60, { edges })
        const to = endOf(await reserve(bench, 5))
        const lower = ruleOf('quota', { limit: 3 })
        const pays = { edges, terms: { held: { to, units: 5 } } }
        expect((await bench.take(lower, 5, pays)).passes).toBe(true)
        expect((await bench.take(lower, 1, { edges })).passes).toBe(false)
        expect(await left(bench)).toBe(35)
      }))

    it('held units are given back once, and a settlement after their time is charged in full', () =>
      withStore(factory, async bench => {
        const first = endOf(await reserve(bench, 30))
        await reserve(bench, 20)
        await settle(bench, 0, first, 30)
        expect(await left(bench)).toBe(80)
        bench.now += 2 * TTL
        await settle(bench, 7, first, 30)
        expect(await left(bench)).toBe(93)
      }))

    it('held units pay without room of their own, and more than is held only where there is room', () =>
      withStore(factory, async bench => {
        const to = endOf(await reserve(bench, 60))
        await bench.take(rule, 40, { edges })
        const pay = (cost: number, units: number, least?: number): Promise<Answer> =>
          bench.take(rule, cost, { edges, terms: { held: { to, units }, least } })
        expect((await pay(50, 50)).passes).toBe(true)
        expect((await pay(11, 10)).passes).toBe(false)
        const part = (await pay(30, 10, 1)).evaluation
        expect([part.allowed, part.grants]).toEqual([true, [10]])
        expect(await left(bench)).toBe(0)
        bench.now += 2 * TTL
        expect((await pay(1, 1)).passes).toBe(false)
      }))

    it('a caller keeps held units alive by moving them, also where nothing is left', () =>
      withStore(factory, async bench => {
        let to = endOf(await reserve(bench, 60))
        await bench.take(rule, 40, { edges })
        for (let i = 0; i < 5; i++) {
          bench.now += TTL / 3
          const moved = await bench.take(rule, 60, {
            edges,
            terms: { keptFor: TTL, held: { to, units: 60 } },
          })
          expect([moved.passes, moved.remaining]).toEqual([true, 0])
          to = endOf(moved)
        }
        bench.now = to
        expect(await left(bench)).toBe(60)
        const lost = await bench.take(rule, 61, { edges, terms: { keptFor: TTL, held: { to, units: 61 } } })
        expect(lost.passes).toBe(false)
      }))

    it('held units survive a lowered limit, and take nothing beyond it', () =>
      withStore(factory, async bench => {
        const to = endOf(await reserve(bench, 60))
        const lower = ruleOf('quota', { limit: 50 })
        const extend = (units: number): Promise<Answer> =>
          bench.take(lower, units, { edges, terms: { keptFor: TTL, held: { to, units: 60 } } })
        expect((await extend(61)).passes).toBe(false)
        expect((await extend(60)).passes).toBe(true)
      }))

    it('held units end with their period, and the grant stays with its own', () =>
      withStore(factory, async bench => {
        bench.now = edges[1] - SECOND
        await bench.take(rule, 10, { edges, mode: Mode.GRANT })
        const to = endOf(await reserve(bench, 110))
        bench.now = edges[1]
        expect(await left(bench)).toBe(100)
        expect((await settle(bench, 40, to, 110)).remaining).toBe(60)
      }))

    it('held units of one period take nothing from those of the next one, though both end close together', () =>
      withStore(factory, async bench => {
        bench.now = edges[1] - SECOND / 10
        const before = endOf(await reserve(bench, 60))
        bench.now = edges[1] + SECOND / 10
        const to = endOf(await reserve(bench, 100))
        expect([before, to - before > TTL]).toEqual([edges[1], true])
        expect((await settle(bench, 0, before, 60)).remaining).toBe(0)
        expect((await settle(bench, 0, to, 100)).remaining).toBe(100)
      }))

    it('held units of one length end at no more than 9 edges, and those of all lengths at no more than 94', () =>
      withStore(factory, async bench => {
        const hours = [START, START + 200_000 * SECOND, START + 400_000 * SECOND] as const
        const big = ruleOf('quota', { limit: 1_000_000 })
        const random = randomNumbers(4)
        const take = async (cost: number, ttl?: number): Promise<State> =>
          (await bench.take(big, cost, { edges: hours, terms: { keptFor: ttl } })).evaluation.states[0] ?? []
        let most = 0
        for (let i = 0; i < 60; i++) {
          bench.now += Math.floor(random() * SECOND)
          most = Math.max(most, ((await take(1, TTL)).length - 4) / 2)
        }
        expect([most > 7, most <= 9]).toEqual([true, true])
        for (let i = 0; i < 300; i++) {
          bench.now += Math.floor(random() * 10_000)
          most = Math.max(most, ((await take(1, Math.floor(SECOND * 86_400 ** random()))).length - 4) / 2)
        }
        expect([most > 50, most <= 94]).toEqual([true, true])
        bench.now += 110_000 * SECOND
        expect((await take(1)).length).toBe(3)
      }))

    it('units that are held for ten lengths of time are found by their owners, and each is given back', () =>
      withStore(factory, async bench => {
        const big = ruleOf('quota', { limit: 14_200 })
        const rows = [1, 2, 3, 4, 5, 7, 11, 13, 17, 19].map(seconds => ({ ttl: seconds * SECOND, to: 0 }))
        const hold = async (row: { ttl: number; to: number }): Promise<void> => {
          const held = row.to > 0 ? { to: row.to, units: 1420 } : undefined
          const answer = await bench.take(big, 1420, { edges, terms: { keptFor: row.ttl, held } })
          expect(answer.passes).toBe(true)
          row.to = endOf(answer, row.ttl)
        }
        for (const row of rows) await hold(row)
        for (let i = 0; i < 12; i++) {
          bench.now += SECOND / 3
          for (const row of rows) if (i % Math.ceil(row.ttl / SECOND) === 0) await hold(row)
          expect(await bench.take(big, 0, { edges })).toMatchObject({ remaining: 0 })
        }
        for (const { to } of rows)
          await bench.take(big, 0, { edges, mode: Mode.SETTLE, terms: { held: { to, units: 1420 } } })
        expect((await bench.take(big, 0, { edges })).remaining).toBe(14_200)
      }))

    for (const [name, limit] of [
      ['small numbers', 1000],
      ['limits near the largest', LARGEST - 1],
    ] as const)
      for (const seed of seedsOf(factory, 2))
        it(`held units agree with a book of single holds, for ${name} (${seed})`, () =>
          withStore(factory, bench => play(bench, limit, randomNumbers(seed))))

    async function play(bench: Bench, limit: number, random: () => number): Promise<void> {
      const own = ruleOf('quota', { limit })
      const period = 60 * SECOND
      const book = new HoldBook(limit)
      const open: BookedHold[] = []
      const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
      for (let step = 0; step < 250; step++) {
        bench.now += Math.floor(random() ** 4 * pick([SECOND, SECOND, 20 * SECOND]))
        const start = bench.now - ((bench.now - START) % period)
        const present = [start, start + period, start + 2 * period] as const
        const room = Number(book.left(bench.now, start + period))
        const size = Math.max(1, pick([1, Math.floor(room / 7), Math.floor(limit / 20), room, room + 1]))
        const hold = open.length > 0 && random() < 0.7 ? pick(open) : undefined
        const ttl = pick(LENGTHS)
        const act =
          hold === undefined
            ? pick(['reserve', 'reserve', 'charge', 'grant'])
            : pick(['pay', 'extend', 'settle'])
        const rest = hold === undefined ? 0 : Number(hold.rest)
        const cost = act === 'extend' ? rest : act === 'settle' ? pick([0, rest, size, 2 ** 51]) : size
        if (act === 'extend' && rest === 0) continue
        const held = hold && { to: hold.to, units: act === 'pay' ? Math.min(cost, rest) : rest }
        const demand: Partial<Demand> = {
          edges: present,
          mode: act === 'settle' ? Mode.SETTLE : act === 'grant' ? Mode.GRANT : Mode.CHARGE,
          chargedTo: start + period,
          terms:
            act === 'charge' || act === 'grant'
              ? undefined
              : { held, keptFor: act === 'reserve' || act === 'extend' ? ttl : undefined },
        }
        const expected = book.judge(act, cost, bench.now, start + period, ttl, hold)
        const { passes, evaluation } = await bench.take(own, cost, demand)
        if (typeof expected === 'object') open.push(expected)
        if (act === 'settle') open.splice(open.indexOf(hold as BookedHold), 1)
        const state = evaluation.states[0] ?? []
        expect([
          act,
          passes,
          BigInt(algorithms.q.used(state, bench.now, own)),
          BigInt(algorithms.q.holds?.held(state, bench.now) ?? 0),
          BigInt(algorithms.q.remaining(state, bench.now, own)),
        ]).toEqual([
          act,
          expected !== false,
          book.used(start + period),
          book.held(bench.now, start + period),
          book.left(bench.now, start + period),
        ])
      }
    }
  })
}
