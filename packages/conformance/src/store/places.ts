import { algorithms, type Evaluation, Mode, type Rule, type Terms } from '@halt/core/store'

import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { type Bench, demandOf, ruleOf, withStore } from './bench.ts'

const SECOND = 1e6

/** Callers that wait: places in line, counters that cannot keep a place, and blocks. */
export function testPlaces({ describe, it, expect }: Runner, factory: StoreFactory): void {
  // One unit per second.
  const line = ruleOf('token-bucket', { limit: 10, window: 10, capacity: 1, counter: 'line' })
  const wide = ruleOf('token-bucket', { limit: 10, window: 10, capacity: 10, counter: 'wide' })
  const patient: Terms = { maxWait: 10 * SECOND }

  const ask = async (bench: Bench, rule: Rule, cost: number, terms: Terms): Promise<Evaluation> =>
    (await bench.take(rule, cost, { terms })).evaluation
  const tailOf = ({ states }: Evaluation): number => algorithms.t.freshAt(states[0] ?? [])
  const giveBack = (bench: Bench, place: Evaluation): Promise<unknown> =>
    bench.take(line, -1, { mode: Mode.SETTLE, chargedTo: tailOf(place) })

  describe('places in line', () => {
    it('are charged once, and start one after the other', () =>
      withStore(factory, async bench => {
        const starts = []
        for (let i = 0; i < 4; i++) {
          const { allowed, startsIn } = await ask(bench, line, 1, patient)
          starts.push([allowed, startsIn])
        }
        expect(starts).toEqual([
          [true, undefined],
          [true, SECOND],
          [true, 2 * SECOND],
          [true, 3 * SECOND],
        ])
        bench.now += 4 * SECOND - 1
        expect((await bench.take(line)).passes).toBe(false)
        bench.now += 1
        expect((await bench.take(line)).passes).toBe(true)
      }))

    it('refuse whoever would wait longer than it accepts, and charge it nothing', () =>
      withStore(factory, async bench => {
        for (let i = 0; i < 3; i++) await ask(bench, line, 1, patient)
        for (let i = 0; i < 5; i++) {
          const { allowed, startsIn } = await ask(bench, line, 1, { maxWait: 3 * SECOND - 1 })
          expect([allowed, startsIn]).toEqual([false, undefined])
        }
        expect((await ask(bench, line, 1, { maxWait: 3 * SECOND })).startsIn).toBe(3 * SECOND)
        expect((await ask(bench, line, 2, { maxWait: 3600 * SECOND })).allowed).toBe(false)
      }))

    it('let no check overtake them', () =>
      withStore(factory, async bench => {
        for (let i = 0; i < 3; i++) await ask(bench, line, 1, patient)
        for (let i = 0; i < 6; i++) {
          const { passes, wait } = await bench.take(line)
          expect([passes, wait]).toEqual([false, 3 * SECOND - (i * SECOND) / 2])
          bench.now += SECOND / 2
        }
        expect((await bench.take(line)).passes).toBe(true)
      }))

    it('keep their starts when one in the middle is given back, and the last one becomes free', () =>
      withStore(factory, async bench => {
        const places = []
        for (let i = 0; i < 4; i++) places.push(await ask(bench, line, 1, patient))
        await giveBack(bench, places[1]!)
        expect((await ask(bench, line, 1, patient)).startsIn).toBe(4 * SECOND)
        expect((await bench.take(line, 1, { mode: Mode.PEEK })).wait).toBe(5 * SECOND)
        const last = await ask(bench, line, 1, patient)
        expect(last.startsIn).toBe(5 * SECOND)
        await giveBack(bench, last)
        expect((await ask(bench, line, 1, patient)).startsIn).toBe(5 * SECOND)
      }))

    it('are charged in all buckets of a group or in none, for one exact start', () =>
      withStore(factory, async bench => {
        const demands = (terms: Terms): [ReturnType<typeof demandOf>, ReturnType<typeof demandOf>] => [
          demandOf(line, 1, { terms }),
          demandOf(wide, 4, { terms }),
        ]
        for (let i = 0; i < 2; i++) await bench.ask({ demands: demands(patient) })
        // The narrow bucket has its next start in 2 s, and the wide one has 2 units left: it would start at the same time.
        const refused = await bench.ask({ demands: demands({ maxWait: 2 * SECOND - 1 }) })
        expect([refused.allowed, refused.startsIn]).toEqual([false, undefined])
        const placed = await bench.ask({ demands: demands(patient) })
        expect([placed.allowed, placed.startsIn]).toEqual([true, 2 * SECOND])
        expect(placed.passes).toEqual([true, true])
        const last = await bench.ask({ demands: demands(patient) })
        expect(last.startsIn).toBe(6 * SECOND)
        // A check of either bucket passes after all of them, and not a microsecond before.
        bench.now += 7 * SECOND - 1
        expect((await bench.take(line)).passes).toBe(false)
        bench.now += 1
        expect((await bench.take(line)).passes).toBe(true)
      }))

    it('are not charged where every client would wait for one: the caller asks again', () =>
      withStore(factory, async bench => {
        const terms = { ...patient, gapless: true }
        const demands = [demandOf(line, 1, { terms: patient }), demandOf(wide, 1, { terms })]
        await bench.ask({ demands })
        for (let i = 0; i < 2; i++) {
          const { allowed, startsIn } = await bench.ask({ demands })
          expect([allowed, startsIn]).toEqual([false, SECOND])
        }
        expect((await bench.take(wide, 1, { mode: Mode.PEEK })).remaining).toBe(9)
      }))

    for (const algorithm of ['fixed-window', 'sliding-window', 'concurrency'] as const)
      it(`do not exist in ${algorithm}: the caller asks again, and nothing is written`, () =>
        withStore(factory, async bench => {
          const rule = ruleOf(algorithm, { limit: 2, cooldown: 60 })
          await bench.take(rule, 2)
          for (let i = 0; i < 3; i++) {
            const { allowed, startsIn, starts } = await ask(bench, rule, 1, { maxWait: 20 * SECOND })
            const { wait } = await bench.take(rule, 1, { mode: Mode.PEEK })
            expect([allowed, startsIn, starts.includes(true)]).toEqual([false, wait, false])
            bench.now += SECOND
          }
          bench.now += (await bench.take(rule, 1, { mode: Mode.PEEK })).wait
          expect((await ask(bench, rule, 2, patient)).allowed).toBe(true)
        }))
  })

  describe('blocks', () => {
    const strict = ruleOf('token-bucket', { cooldown: 5 })

    it('prolong a cool-down that ends earlier, and shorten none', () =>
      withStore(factory, async bench => {
        const block = (seconds: number): Promise<unknown> =>
          bench.take({ ...strict, cooldown: seconds * SECOND }, 0, { mode: Mode.BLOCK })
        for (const [seconds, wait] of [
          [5, 5],
          [20, 20],
          [3, 20],
        ] as const) {
          await block(seconds)
          expect((await bench.take(strict, 1, { mode: Mode.PEEK })).wait).toBe(wait * SECOND)
        }
      }))

    it('block whatever the demand accepts', () =>
      withStore(factory, async bench => {
        const terms = { maxWait: 60 * SECOND, floor: 0.5 }
        const { passes, wait } = await bench.take(strict, 0, { mode: Mode.BLOCK, terms })
        expect([passes, wait]).toEqual([false, 5 * SECOND])
        expect((await bench.take(strict, 1, { mode: Mode.PEEK })).wait).toBe(5 * SECOND)
      }))

    it('let a place start when they end', () =>
      withStore(factory, async bench => {
        await bench.take(strict, 0, { mode: Mode.BLOCK })
        expect((await ask(bench, strict, 1, { maxWait: 5 * SECOND - 1 })).allowed).toBe(false)
        expect((await ask(bench, strict, 1, patient)).startsIn).toBe(5 * SECOND)
      }))
  })
}
