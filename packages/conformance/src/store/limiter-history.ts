import type { Group, Store } from '@halt/core/store'
import { ReferenceStore } from '@halt/core/testing'

import { playersOf, randomLimiterHistory } from './random-calls.ts'
import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { withStore } from './bench.ts'

/**
 * The same decisions through a limiter as from the plainest store, field by field: with refusals and answers remembered,
 * and calls made at the same time. What a limiter answers by itself is what the store would have said.
 */
export function testLimiterHistory({ describe, it, expect }: Runner, factory: StoreFactory): void {
  const { histories = 10, steps = 500, oneInstant = true, ordered = true } = factory
  // A limiter's groups touch two subjects, and come at the same time.
  if (!oneInstant || !ordered) return
  describe('random histories through a limiter', () => {
    for (let seed = 1; seed <= histories; seed++) {
      it(`decides as the reference does over ${steps} steps (${seed})`, () =>
        withStore(factory, async bench => {
          const now = (): number => bench.now / 1000
          const remembering = counted(bench.store, { keepsPace: true, clock: now })
          const plainest = counted(new ReferenceStore(now), { clock: now })
          const [actual, expected] = [playersOf(remembering), playersOf(plainest)]
          for (const { advance, operations } of randomLimiterHistory(seed, steps)) {
            bench.now += advance
            const found = await Promise.all(operations.map(operate => operate(actual)))
            for (const [i, operate] of operations.entries())
              expect(shown(found[i])).toEqual(shown(await operate(expected)))
          }
          // Else nothing was remembered, and nothing is shown.
          expect(remembering.calls).toBeLessThan(plainest.calls)
        }))
    }
  })
}

/** A store behind a turn of the event loop, as across a network, that counts how often it is asked. */
function counted(store: Store, more: Partial<Store>): Store & { readonly calls: number } {
  let calls = 0
  return {
    ...more,
    get calls() {
      return calls
    },
    evaluate: async (group: Group) => {
      calls++
      return store.evaluate(group)
    },
    forget: async counters => store.forget(counters),
  }
}

/** What an application sees of an answer: of a decision, what every policy said, too. */
function shown(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'verdicts' in answer
    ? { ...answer, verdicts: answer.verdicts }
    : answer
}
