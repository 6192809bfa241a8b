import { algorithms, type Demand, Mode, type Rule } from '@halt/core/store'

import { type Bench, demandOf, ruleOf, START, withStore } from './bench.ts'
import { randomNumbers } from './random-numbers.ts'
import type { Runner } from '../runner.ts'
import { seedsOf } from './seeds.ts'
import type { StoreFactory } from './store-factory.ts'

const SECOND = 1_000_000
const STEPS = 300
const LARGEST = 999_999_999_999_999
const COST = 2 ** 51
const ALGORITHMS = ['fixed-window', 'sliding-window', 'quota'] as const

/** Limits, costs and counts at and near their bounds, against a book in whole numbers of any size. */
export function testLargeNumbers({ describe, it, expect }: Runner, factory: StoreFactory): void {
  describe('large numbers', () => {
    for (const algorithm of ALGORITHMS)
      for (const seed of seedsOf(factory, 2))
        it(`${algorithm} counts large numbers exactly (${seed})`, () =>
          withStore(factory, async bench => {
            const random = randomNumbers(seed)
            const rules = [LARGEST, LARGEST - 1, 2 ** 49, 7].map(limit => ruleOf(algorithm, { limit }))
            for (let key = 0; key < 6; key++) await play(bench, rules, `user:${key}`, random)
          }))

    async function play(
      bench: Bench,
      rules: readonly Rule[],
      subject: string,
      random: () => number,
    ): Promise<void> {
      const book = new Book()
      const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
      for (let step = 0; step < STEPS / 6; step++) {
        bench.now += pick([0, 0, 1, 900_000, random() < 0.1 ? 12 * SECOND : 0])
        const rule = random() < 0.8 ? (rules[0] as Rule) : pick(rules)
        const left = Number(book.left(rule, bench.now))
        const cost = pick([1, 2, left, left + 1, Math.floor(left / 3), LARGEST, COST - 1, COST, 2 ** 40])
        const demand = demandOf(rule, cost > COST || cost < 1 ? 1 : cost, {
          subject,
          mode: pick([Mode.CHARGE, Mode.CHARGE, Mode.CHARGE, Mode.SETTLE, Mode.GRANT, Mode.PEEK]),
          edges: rule.code === 'q' ? edgesAt(bench.now) : undefined,
        })
        const asked =
          demand.mode === Mode.GRANT && rule.code !== 'q' ? { ...demand, mode: Mode.PEEK } : demand
        const expected = book.judge(asked, bench.now)
        const evaluation = await bench.ask({ demands: [asked] })
        const state = evaluation.states[0] ?? []
        const used = algorithms[rule.code].used(state, bench.now, rule)
        const remaining = algorithms[rule.code].remaining(state, bench.now, rule)
        expect([evaluation.passes[0], BigInt(used), BigInt(remaining)]).toEqual([
          expected,
          book.used(bench.now),
          book.left(rule, bench.now),
        ])
      }
    }
  })
}

function edgesAt(now: number): readonly [number, number, number] {
  const start = now - ((now - START) % (10 * SECOND))
  return [start, start + 10 * SECOND, start + 20 * SECOND]
}

/** What a counter counts, each charge by itself, in whole numbers of any size. */
class Book {
  #charges: { readonly until: number; readonly units: bigint }[] = []
  #granted = 0n
  #end = 0

  /** Judges a demand, and notes its charge. */
  judge({ rule, cost, mode, edges }: Demand, now: number): boolean {
    const units = BigInt(cost)
    const fits = mode === Mode.SETTLE || mode === Mode.GRANT || units <= this.#room(rule, now)
    if (!fits || mode === Mode.PEEK) return fits
    const used = this.used(now)
    // A window opens with its first charge, a period by the calendar.
    if (rule.code !== 's' && now >= this.#end) {
      this.#end = edges?.[1] ?? now + rule.window
      this.#charges = []
      this.#granted = 0n
    }
    if (mode === Mode.GRANT) this.#granted = least(this.#granted + units, BigInt(LARGEST))
    else {
      const until = rule.code === 's' ? now - (now % rule.slice) + rule.slice + rule.window : this.#end
      this.#charges.push({ until, units: least(units, 2n ** 52n - used) })
    }
    return true
  }

  used(now: number): bigint {
    return this.#charges.reduce((sum, { until, units }) => (now < until ? sum + units : sum), 0n)
  }

  left(rule: Rule, now: number): bigint {
    const room = this.#room(rule, now)
    return room > 0n ? room : 0n
  }

  #room(rule: Rule, now: number): bigint {
    const granted = now < this.#end ? this.#granted : 0n
    return BigInt(rule.limit) + granted - this.used(now)
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
