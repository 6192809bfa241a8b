import { decide, type Evaluation, type Group, type State } from '@halt/core/store'

import type { Charged } from './charged.ts'
import { randomLines } from './random-lines.ts'
import { readings } from './readings.ts'
import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { withStore } from './bench.ts'

/** Random lines must be kept as the loop of all stores keeps them over a map that removes what has ended. */
export function testLineHistory({ describe, it, expect }: Runner, factory: StoreFactory): void {
  const { histories = 10, stepsBack = false } = factory
  const steps = Math.ceil((factory.steps ?? 500) / 2)
  describe('random lines', () => {
    for (let seed = 1; seed <= Math.ceil(histories / 2); seed++) {
      it(`random lines agree with those of the plain loop over ${steps} steps (${seed})`, () =>
        withStore(factory, async bench => {
          const plain = plainLoop()
          const past: Charged[] = []
          for (const step of randomLines(seed, steps, stepsBack)) {
            bench.now += step.advance
            for (const group of step.groups(past)) {
              const expected = plain(group, bench.now)
              expect(readings(group, await bench.ask(group))).toEqual(readings(group, expected))
              past.push({ group, evaluation: expected })
            }
            past.splice(0, past.length - 60)
          }
        }))
    }
  })
}

function plainLoop(): (group: Group, now: number) => Evaluation {
  const states = new Map<string, State>()
  return (group, now) =>
    decide(
      group,
      {
        load: (subject, counter) => [...(states.get(`${subject} ${counter}`) ?? [])],
        keep(subject, counter, state, freshAt) {
          if (freshAt > now) states.set(`${subject} ${counter}`, [...state])
          else states.delete(`${subject} ${counter}`)
        },
      },
      now,
    )
}
