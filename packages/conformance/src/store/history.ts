import type { Evaluation } from '@halt/core/store'
import { ReferenceStore } from '@halt/core/testing'

import type { Charged } from './charged.ts'
import { randomHistory } from './random-groups.ts'
import { randomCallers } from './random-callers.ts'
import { readings } from './readings.ts'
import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { withStore } from './bench.ts'

/** A caller asks for one counter, which takes less time than a random group. */
const LONE = 3

/** Random groups must be decided as the reference store decides them. */
export function testHistory({ describe, it, expect }: Runner, factory: StoreFactory): void {
  const { histories = 10, steps = 500, oneInstant = true, ordered = true } = factory
  describe('random histories', () => {
    for (let seed = 1; seed <= histories; seed++)
      for (const [what, written] of [
        ['a random history', randomHistory(seed, steps, oneInstant)],
        ['a random history of callers of one counter', randomCallers(seed, LONE * steps)],
      ] as const)
        it(`${what} is decided as by the reference over ${written.length} steps (${seed})`, () =>
          withStore(factory, async bench => {
            const reference = new ReferenceStore(() => bench.now / 1000)
            const past: Charged[] = []
            for (const step of written) {
              bench.now += step.advance
              const groups = step.groups(past)
              const expected: Evaluation[] = groups.map(group => reference.evaluate(group))
              const actual = ordered ? await Promise.all(groups.map(group => bench.ask(group))) : []
              for (const group of ordered ? [] : groups) actual.push(await bench.ask(group))
              for (const [i, group] of groups.entries()) {
                expect(readings(group, actual[i] as Evaluation)).toEqual(
                  readings(group, expected[i] as Evaluation),
                )
                past.push({ group, evaluation: expected[i] as Evaluation })
              }
              past.splice(0, past.length - 20)
            }
          }))
  })
}
