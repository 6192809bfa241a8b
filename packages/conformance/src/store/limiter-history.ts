import type { Group, Store } from '@halt/core/store'
import { ReferenceStore } from '@halt/core/testing'

import { playersOf, randomLimiterHistory } from './random-calls.ts'
import type { Runner } from '../runner.ts'
import type { StoreFactory } from './store-factory.ts'
import { withStore } from './bench.ts'

/**
 * Random calls of limiters must be decided as the reference store decides them, field by field. The limiters here remember
 * refusals, so this also shows that a remembered answer is the one that the store would have given.
 */
export function testLimiterHistory({ describe, it, expect }: Runner, factory: StoreFactory): void {
  const { histories = 10, steps = 500, oneInstant = true, ordered = true } = factory
  // A limiter sends groups that touch two subjects, and sends several at the same time.
  if (!oneInstant || !ordered) return
  describe('random histories through a limiter', () => {
    for (let seed = 1; seed <= histories; seed++) {
      it(`a limiter decides a random history as the reference does over ${steps} steps (${seed})`, () =>
        withStore(factory, async bench => {
          const now = (): number => bench.now / 1000
          const remembering = counted(bench.store, { keepsPace: true, clock: now })
          const reference = counted(new ReferenceStore(now), { clock: now })
          const [actual, expected] = [playersOf(remembering), playersOf(reference)]
          for (const { advance, operations } of randomLimiterHistory(seed, steps)) {
            bench.now += advance
            const found = await Promise.all(operations.map(operate => operate(actual)))
            for (const [i, operate] of operations.entries())
              expect(shown(found[i])).toEqual(shown(await operate(expected)))
          }
          expect(actual.failures).toEqual([])
          // Otherwise no refusal was remembered, and the test shows nothing.
          expect(remembering.calls).toBeLessThan(reference.calls)
        }))
    }
  })
}

/** Wraps a store so that it answers a turn of the event loop later, as over a network, and counts its calls. */
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

/** The fields of a result that an application sees. The verdicts of a decision are added, because a copy leaves them out. */
function shown(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'verdicts' in answer
    ? { ...answer, verdicts: answer.verdicts }
    : answer
}
