import { Mode } from '@halt/core/store'
import type { RuleNumbers } from '@halt/core/testing'

import { randomNumbers } from './random-numbers.ts'
import type { Runner } from '../runner.ts'
import { seedsOf } from './seeds.ts'
import type { StoreFactory } from './store-factory.ts'
import { type Bench, ruleOf, withStore } from './bench.ts'

type Counted = Exclude<RuleNumbers['algorithm'], 'quota'>
type Numbers = Partial<RuleNumbers> & { readonly algorithm: Counted }

/** The rules under test, by algorithm: an algorithm without one does not compile. */
const SHAPES: Readonly<Record<Counted, readonly (readonly [title: string, numbers: Numbers])[]>> = {
  'token-bucket': [
    ['a token bucket', { algorithm: 'token-bucket', limit: 7, window: 3, capacity: 11 }],
    ['a smoothing token bucket', { algorithm: 'token-bucket', limit: 60, window: 6, capacity: 3 }],
  ],
  'fixed-window': [['a fixed window', { algorithm: 'fixed-window', limit: 7, window: 3 }]],
  'sliding-window': [
    ['a sliding window', { algorithm: 'sliding-window', limit: 7, window: 3 }],
    ['a coarse sliding window', { algorithm: 'sliding-window', limit: 7, window: 3, precision: 1 }],
  ],
  concurrency: [['requests in flight', { algorithm: 'concurrency', limit: 7, window: 3 }]],
}

const STEPS = 300
const SECOND = 1e6

/** The bound of each algorithm, whatever is asked and when, and the exactness of its waits. */
export function testBounds({ describe, it, expect }: Runner, factory: StoreFactory): void {
  describe('never over-admits', () => {
    for (const [title, numbers] of Object.values(SHAPES).flat()) {
      for (const seed of seedsOf(factory, 3)) {
        it(`a store admits no more than ${title} allows (${seed})`, () =>
          withStore(factory, async bench => {
            const admitted = await hammer(bench, numbers, seed)
            expect(worst(numbers, admitted)).toBe('within its bound')
          }))
      }
      it(`a store admits a refused request through ${title} after its wait and not a microsecond before`, () =>
        withStore(factory, async bench => {
          const rule = ruleOf(numbers.algorithm, numbers)
          const random = randomNumbers(9)
          let refused = 0
          for (let i = 0; i < 40; i++) {
            bench.now += Math.floor(random() * 500_000)
            const cost = 1 + Math.floor(random() * 3)
            const answer = await bench.take(rule, cost)
            if (answer.passes) continue
            refused++
            bench.now += answer.wait - 1
            expect((await bench.take(rule, cost, { mode: Mode.PEEK })).passes).toBe(false)
            bench.now += 1
            expect((await bench.take(rule, cost)).passes).toBe(true)
          }
          expect(refused > 0).toBe(true)
        }))
    }

    it('units that a sliding window has counted in more parts leave together, with the youngest, when it gets fewer', () =>
      withStore(factory, async bench => {
        const exact = ruleOf('sliding-window', { limit: 100 })
        for (let units = 1; units <= 10; units++) {
          await bench.take(exact, units)
          bench.now += SECOND
        }
        // Two parts, and the present one. The nine oldest of the ten parts become one.
        const coarse = ruleOf('sliding-window', { limit: 100, precision: 2 })
        const left = [(await bench.take(coarse, 1)).remaining]
        for (let second = 0; second < 20; second++) {
          bench.now += SECOND
          left.push((await bench.take(coarse, 0)).remaining)
        }
        const times = [
          [9, 44],
          [1, 89],
          [5, 99],
          [6, 100],
        ] as const
        expect(left).toEqual(times.flatMap(([seconds, units]) => Array<number>(seconds).fill(units)))
      }))
  })
}

/** Asks at random times and costs. Returns the instant and the units of each admission. */
async function hammer(bench: Bench, numbers: Numbers, seed: number): Promise<[number, number][]> {
  const rule = ruleOf(numbers.algorithm, numbers)
  const random = randomNumbers(seed)
  const admitted: [number, number][] = []
  for (let i = 0; i < STEPS; i++) {
    bench.now += Math.floor(random() ** 3 * 900_000)
    const cost = 1 + Math.floor(random() * 3)
    if ((await bench.take(rule, cost)).passes) admitted.push([bench.now, cost])
  }
  return admitted
}

/** Compares every interval between two admissions with the bound. Returns the first excess. */
function worst(
  { algorithm, limit = 10, window = 10, capacity = limit }: Numbers,
  admitted: [number, number][],
): string {
  const micros = window * 1e6
  for (let from = 0; from < admitted.length; from++) {
    let units = 0
    for (let to = from; to < admitted.length; to++) {
      const length = admitted[to]![0] - admitted[from]![0]
      units += admitted[to]![1]
      const most =
        algorithm === 'token-bucket'
          ? Math.floor((capacity * micros + length * limit) / micros)
          : length < micros
            ? algorithm === 'fixed-window'
              ? 2 * limit
              : limit
            : Number.POSITIVE_INFINITY
      if (units > most) return `${units} units in ${length} µs, more than ${most}`
    }
  }
  return 'within its bound'
}
