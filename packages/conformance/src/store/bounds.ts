import type { RuleNumbers } from '@halt/core/testing'

import { randomNumbers } from './random-numbers.ts'
import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { type Bench, ruleOf, withStore } from './bench.ts'

const STEPS = 300
const SEEDS = [1, 2, 3]

/** What is admitted, whatever is asked and when: the bound of each algorithm, and the exactness of its waits. */
export function testBounds({ describe, it, expect }: Runner, factory: StoreFactory): void {
  const shapes: { title: string; rule: Partial<RuleNumbers> & { algorithm: RuleNumbers['algorithm'] } }[] = [
    { title: 'a token bucket', rule: { algorithm: 'token-bucket', limit: 7, window: 3, capacity: 11 } },
    {
      title: 'a smoothing token bucket',
      rule: { algorithm: 'token-bucket', limit: 60, window: 6, capacity: 3 },
    },
    { title: 'a fixed window', rule: { algorithm: 'fixed-window', limit: 7, window: 3 } },
    { title: 'a sliding window', rule: { algorithm: 'sliding-window', limit: 7, window: 3 } },
    {
      title: 'a coarse sliding window',
      rule: { algorithm: 'sliding-window', limit: 7, window: 3, precision: 1 },
    },
    { title: 'requests in flight', rule: { algorithm: 'concurrency', limit: 7, window: 3 } },
  ]
  describe('never over-admits', () => {
    for (const { title, rule: numbers } of shapes) {
      for (const seed of SEEDS) {
        it(`admits no more than ${title} allows (${seed})`, () =>
          withStore(factory, async bench => {
            const admitted = await hammer(bench, numbers, seed)
            expect(worst(numbers, admitted)).toBe('within its bound')
          }))
      }
      it(`lets a refused request through ${title} after its wait and not a microsecond before`, () =>
        withStore(factory, async bench => {
          const rule = ruleOf(numbers.algorithm, numbers)
          const random = randomNumbers(9)
          for (let i = 0; i < 40; i++) {
            bench.now += Math.floor(random() * 500_000)
            const cost = 1 + Math.floor(random() * 3)
            const answer = await bench.take(rule, cost)
            if (answer.passes) continue
            bench.now += answer.wait - 1
            expect((await bench.take(rule, cost, { mode: 2 })).passes).toBe(false)
            bench.now += 1
            expect((await bench.take(rule, cost)).passes).toBe(true)
          }
        }))
    }
  })
}

/** Asks often and at random; returns when how many units were let in. */
async function hammer(
  bench: Bench,
  numbers: Partial<RuleNumbers> & { algorithm: RuleNumbers['algorithm'] },
  seed: number,
): Promise<[number, number][]> {
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

/** Looks at every interval between two admissions. */
function worst(
  { algorithm, limit = 10, window = 10, capacity = limit }: Partial<RuleNumbers> & { algorithm: string },
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
      if (units > most) return `${units} units in ${length} µs, where ${most} are the most`
    }
  }
  return 'within its bound'
}
