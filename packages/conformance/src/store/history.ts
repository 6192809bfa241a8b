import type { Evaluation } from '@halt/core/store'
import { ReferenceStore } from '@halt/core/testing'

import type { Charged } from './charged.ts'
import { randomCallers } from './random-callers.ts'
import { randomHistory } from './random-groups.ts'
import { readings } from './readings.ts'
import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { withStore } from './bench.ts'

/** How many times longer the histories of one counter are: a step of them takes less time. */
const LONE = 3

/** Random groups must be decided as the reference store decides them. */
export function testHistory({ describe, it, expect }: Runner, factory: StoreFactory): void {
  const { histories = 10, steps = 500, oneInstant = true, ordered = true } = factory
  describe('random histories', () => {
    for (let seed = 1; seed <= histories; seed++)
      for (const [what, length, write] of [
        ['a random history', steps, () => randomHistory(seed, steps, oneInstant)],
        ['a random history of callers of one counter', LONE * steps, () => randomCallers(seed, LONE * steps)],
      ] as const)
        it(`${what} is decided as by the reference over ${length} steps (${seed})`, () =>
          withStore(factory, async bench => {
            const reference = new ReferenceStore(() => bench.now / 1000)
            const past: Charged[] = []
            for (const step of write()) {
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
