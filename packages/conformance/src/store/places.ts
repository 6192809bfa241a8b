import {
  algorithms,
  type Evaluation,
  Mode,
  type Place,
  type Rule,
  shareRuleOf,
  type Terms,
} from '@halt/core/store'

import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { type Bench, demandOf, ruleOf, withStore } from './bench.ts'

const SECOND = 1e6

/** Callers that wait: places in line, and counters that cannot keep a place. */
export function testPlaces({ describe, it, expect }: Runner, factory: StoreFactory): void {
  // One unit per second.
  const line = ruleOf('token-bucket', { limit: 10, window: 10, capacity: 1, counter: 'line' })
  const wide = ruleOf('token-bucket', { limit: 10, window: 10, capacity: 10, counter: 'wide' })
  const patient: Terms = { maxWait: 10 * SECOND }

  const ask = async (bench: Bench, rule: Rule, cost: number, terms: Terms): Promise<Evaluation> =>
    (await bench.take(rule, cost, { terms })).evaluation
  const placeOf = ({ states }: Evaluation): Place => {
    const [, at = 0] = states[0] ?? []
    const { born = -1, tail = -1 } = algorithms.t.line?.read([...(states[0] ?? [])], at, line) ?? {}
    return { position: tail, born }
  }
  const leave = async (bench: Bench, place: Place, cost = 1): Promise<boolean> =>
    (await bench.take(line, -cost, { mode: Mode.SETTLE, terms: { place } })).passes
  const stand = async (bench: Bench, count: number): Promise<Place[]> => {
    const places = []
    for (let i = 0; i < count; i++) places.push(placeOf(await ask(bench, line, 1, patient)))
    return places
  }

  describe('places in line', () => {
    it('places in line are charged once, and start one after the other', () =>
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

    it('a tenant whose turn has come in the line of a shared bucket gets its place in another line, and pays once', () =>
      withStore(factory, async bench => {
        const pool = ruleOf('token-bucket', { limit: 10, window: 10, capacity: 1, counter: 'pool' })
        const share = (tenant: string): Terms => ({ share: { rule: shareRuleOf(pool, tenant), weight: 1 } })
        await stand(bench, 1)
        await ask(bench, pool, 1, share('user:1'))
        const first = await ask(bench, pool, 1, { ...share('user:2'), ...patient })
        expect(first.startsIn).toBe(SECOND)
        bench.now += SECOND
        await stand(bench, 1)
        const passed = { ...share('user:2'), ...patient, place: placeOf(first) }
        const demands = [demandOf(pool, 1, { terms: passed }), demandOf(line, 1, { terms: patient })]
        const { allowed, startsIn, states, shares } = await bench.ask({ demands })
        expect([allowed, startsIn]).toEqual([true, SECOND])
        // The pool, and the tag of the tenant, are as before.
        expect(shares?.[0]?.slice(0, 4)).toEqual(first.shares?.[0]?.slice(0, 4))
        expect(algorithms.t.used(states[0] ?? [], bench.now, pool)).toBe(1)
        await bench.ask({ demands: [demandOf(pool, -1, { mode: Mode.SETTLE, terms: passed })] })
        expect((await ask(bench, pool, 0, share('user:2'))).shares?.[0]?.[2]).toBeLessThan(
          first.shares![0]![2]!,
        )
      }))

    it('a caller is told its start to the microsecond, beside refunds that move the line up, too', () =>
      withStore(factory, async bench => {
        await ask(bench, line, 1, patient)
        bench.now += SECOND - 1
        // With another counter beside it, it is told to ask again then.
        const both = [demandOf(line, 1, { terms: patient }), demandOf(wide, 1, { terms: patient })]
        expect(await bench.ask({ demands: both })).toMatchObject({ allowed: false, startsIn: 1 })
        expect((await ask(bench, line, 1, patient)).startsIn).toBe(1)
        // Ten units a second. A refund of 19 units moves the line up as fast as time does, for as long as it lasts.
        const swift = ruleOf('token-bucket', { window: 1, capacity: 20, counter: 'swift' })
        await ask(bench, swift, 20, {})
        await ask(bench, swift, 10, patient)
        await bench.take(swift, -19, { mode: Mode.SETTLE })
        expect((await ask(bench, swift, 1, patient)).startsIn).toBe(0.55 * SECOND)
      }))

    it('a line refuses a caller that would wait longer than it accepts, and charges it nothing', () =>
      withStore(factory, async bench => {
        for (let i = 0; i < 3; i++) await ask(bench, line, 1, patient)
        for (let i = 0; i < 5; i++) {
          const { allowed, startsIn } = await ask(bench, line, 1, { maxWait: 3 * SECOND - 1 })
          expect([allowed, startsIn]).toEqual([false, undefined])
        }
        expect((await ask(bench, line, 1, { maxWait: 3 * SECOND })).startsIn).toBe(3 * SECOND)
        expect((await ask(bench, line, 2, { maxWait: 3600 * SECOND })).allowed).toBe(false)
      }))

    it('no check overtakes places in line', () =>
      withStore(factory, async bench => {
        for (let i = 0; i < 3; i++) await ask(bench, line, 1, patient)
        for (let i = 0; i < 6; i++) {
          const { passes, wait } = await bench.take(line)
          expect([passes, wait]).toEqual([false, 3 * SECOND - (i * SECOND) / 2])
          bench.now += SECOND / 2
        }
        expect((await bench.take(line)).passes).toBe(true)
      }))

    it('places are positions of one line, which callers that leave do not change', () =>
      withStore(factory, async bench => {
        const [, first, second, third] = await stand(bench, 4)
        expect([first, second, third].map(place => place?.position)).toEqual([1, 2, 3])
        expect(new Set([first, second, third].map(place => place?.born)).size).toBe(1)
        expect(await leave(bench, second!)).toBe(true)
        const next = await ask(bench, line, 1, patient)
        expect([placeOf(next).position, next.startsIn]).toEqual([4, 3 * SECOND])
        // The last one leaves, so its position is free again.
        expect(await leave(bench, placeOf(next))).toBe(true)
        const again = await ask(bench, line, 1, patient)
        expect([placeOf(again).position, again.startsIn]).toEqual([4, 3 * SECOND])
      }))

    it('a place that the line does not have was at its turn: all move up at once by its units', () =>
      withStore(factory, async bench => {
        const [, , second] = await stand(bench, 4)
        const waitOf = async (): Promise<number> => (await bench.take(line, 1, { mode: Mode.PEEK })).wait
        expect(await waitOf()).toBe(4 * SECOND)
        await leave(bench, { ...second!, born: second!.born - 1 })
        expect(await waitOf()).toBe(3 * SECOND)
        await leave(bench, { position: 0, born: 0 })
        expect(await waitOf()).toBe(2 * SECOND)
        await leave(bench, { ...second!, position: 5 })
        expect(await waitOf()).toBe(SECOND)
      }))

    it('a place whose line is over gives its units back', () =>
      withStore(factory, async bench => {
        const [, first] = await stand(bench, 2)
        bench.now += 60 * SECOND
        await bench.take(line, 1)
        await leave(bench, first!)
        expect((await bench.take(line, 1, { mode: Mode.PEEK })).remaining).toBe(1)
      }))

    it('a place in the middle stays when 128 others have left there, and one at the end leaves', () =>
      withStore(factory, async bench => {
        const slow = ruleOf('token-bucket', { limit: 1, window: 3600, capacity: 1, counter: 'line' })
        const block = { mode: Mode.SETTLE, terms: { place: { position: 0, born: 0 } } }
        const { evaluation } = await bench.take(slow, 300, block)
        const { born } = placeOf(evaluation)
        const out = async (position: number): Promise<number> => {
          await bench.take(slow, -1, { mode: Mode.SETTLE, terms: { place: { position, born } } })
          return (await bench.take(slow, 1, { mode: Mode.PEEK })).wait / 3600e6
        }
        for (let i = 2; i <= 128; i++) await out(2 * i)
        expect(await out(258)).toBe(172)
        expect(await out(280)).toBe(172)
        // One beside another hole needs no room, and neither does the last.
        expect(await out(3)).toBe(171)
        expect(await out(300)).toBe(170)
      }))

    it('a place costs nothing again when its turn has come, and passes unless its counter is blocked', () =>
      withStore(factory, async bench => {
        const [, first] = await stand(bench, 2)
        bench.now += SECOND
        const start = (place: Place): ReturnType<Bench['take']> => bench.take(line, 1, { terms: { place } })
        const { passes, evaluation } = await start(first!)
        expect([passes, placeOf(evaluation).position]).toEqual([true, 1])
        expect((await start({ position: 0, born: 0 })).passes).toBe(true)
        expect((await bench.take(line, 1)).wait).toBe(SECOND)
        await bench.take({ ...line, cooldown: 5 * SECOND }, 0, { mode: Mode.BLOCK })
        expect((await start(first!)).passes).toBe(false)
      }))

    it('lost places are taken again in one block behind all others', () =>
      withStore(factory, async bench => {
        await stand(bench, 3)
        const terms = { place: { position: 7, born: 1 } }
        const { passes, evaluation } = await bench.take(line, 5, { mode: Mode.SETTLE, terms })
        expect([passes, placeOf(evaluation).position]).toEqual([true, 7])
        expect((await ask(bench, line, 1, { maxWait: 60 * SECOND })).startsIn).toBe(8 * SECOND)
      }))

    it('places move up evenly when units are given back, so that no two start at once', () =>
      withStore(factory, async bench => {
        await stand(bench, 5)
        const waitOf = async (): Promise<number> => (await bench.take(line, 1, { mode: Mode.PEEK })).wait
        expect(await waitOf()).toBe(5 * SECOND)
        await bench.take(line, -1, { mode: Mode.SETTLE, chargedTo: 0 })
        // The bucket pays twice as fast until the unit is paid back.
        expect(await waitOf()).toBe(4 * SECOND)
        bench.now += SECOND / 2
        expect(await waitOf()).toBe(3.5 * SECOND)
        const { evaluation } = await bench.take(line, 0, { mode: Mode.LOOK })
        expect(placeOf(evaluation).position).toBe(4)
        bench.now += SECOND / 2
        expect(await waitOf()).toBe(3 * SECOND)
      }))

    it('places stand still during a cool-down, and go on where they were', () =>
      withStore(factory, async bench => {
        await stand(bench, 3)
        bench.now += SECOND / 2
        await bench.take({ ...line, cooldown: 5 * SECOND }, 0, { mode: Mode.BLOCK })
        expect((await ask(bench, line, 1, patient)).startsIn).toBe(7.5 * SECOND)
        bench.now += 5 * SECOND
        expect((await ask(bench, line, 1, patient)).startsIn).toBe(3.5 * SECOND)
      }))

    it('places whose cool-down is ended go on where they were', () =>
      withStore(factory, async bench => {
        await stand(bench, 3)
        bench.now += SECOND / 2
        await bench.take({ ...line, cooldown: 5000 * SECOND }, 0, { mode: Mode.BLOCK })
        bench.now += 100 * SECOND
        const { passes } = await bench.take({ ...line, cooldown: 0 }, 0, { mode: Mode.BLOCK })
        expect(passes).toBe(true)
        expect((await ask(bench, line, 1, patient)).startsIn).toBe(2.5 * SECOND)
      }))

    it('places are paid at the old rate until the new one is heard, also by a caller that only looks', () =>
      withStore(factory, async bench => {
        await stand(bench, 5)
        const fast = { ...line, rate: 10 * line.rate }
        bench.now += SECOND
        await bench.take(fast, 0, { mode: Mode.LOOK })
        expect((await ask(bench, fast, 1, patient)).startsIn).toBe(0.4 * SECOND)
      }))

    it('places start at once by a reset as far as a capacity reaches, and the others stay', () =>
      withStore(factory, async bench => {
        await stand(bench, 4)
        const { passes, evaluation } = await bench.take(line, 0, { mode: Mode.RESET })
        expect([passes, placeOf(evaluation).position]).toEqual([true, 3])
        expect((await ask(bench, line, 1, patient)).startsIn).toBe(3 * SECOND)
        bench.now += 60 * SECOND
        await bench.take(line)
        await bench.take(line, 0, { mode: Mode.RESET })
        expect((await bench.take(line, 1, { mode: Mode.PEEK })).remaining).toBe(1)
      }))

    it('a group of two buckets gets no place, and one that has the place of the first gets that of the second', () =>
      withStore(factory, async bench => {
        const demands = (terms: Terms, place?: Place): ReturnType<typeof demandOf>[] => [
          demandOf(line, 1, { terms: { ...terms, place } }),
          demandOf(wide, 4, { terms }),
        ]
        for (let i = 0; i < 2; i++) await bench.take(wide, 4, { terms: patient })
        await stand(bench, 1)
        const both = await bench.ask({ demands: demands(patient) })
        expect([both.allowed, both.startsIn]).toEqual([false, 2 * SECOND])
        const own = placeOf(await ask(bench, line, 1, patient))
        const refused = await bench.ask({ demands: demands({ maxWait: SECOND }, own) })
        expect([refused.allowed, refused.startsIn]).toEqual([false, undefined])
        const placed = await bench.ask({ demands: demands(patient, own) })
        expect([placed.allowed, placed.startsIn, placed.passes]).toEqual([true, 2 * SECOND, [true, true]])
        // The first bucket was not charged again.
        expect((await bench.take(line, 1, { mode: Mode.PEEK })).wait).toBe(2 * SECOND)
      }))

    for (const algorithm of ['fixed-window', 'sliding-window', 'concurrency'] as const)
      it(`${algorithm} has no places: the caller asks again, and nothing is written`, () =>
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
}
