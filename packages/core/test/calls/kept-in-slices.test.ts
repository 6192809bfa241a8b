import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import type { Evaluator } from '../../src/check/evaluator.ts'
import type { Holding } from '../../src/check/holding.ts'
import { HoldKeeper } from '../../src/reserve/hold-keeper.ts'
import { Mode, type Demand, type Group } from '../../src/store/contract.ts'
import { ruleOf } from '../../../conformance/src/store/bench.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

const TTL = 3e6
const rule = ruleOf('quota', { limit: 1_000_000 })

/** A keeper whose process has held so many units long ago, and the units that it asked for in each turn of the event loop. */
function keeping(count: number, subjectOf: (i: number) => string) {
  const turns: { calls: number; units: number }[] = []
  let now = 0
  const evaluator: Pick<Evaluator, 'ask' | 'ownTime' | 'clock'> = {
    ownTime: () => now,
    clock: { now: () => now / 1000 } as Evaluator['clock'],
    ask({ demands }: Group) {
      const turn = turns.at(-1)!
      turn.calls++
      turn.units += demands[0]!.cost
    },
  }
  const keeper = new HoldKeeper(
    evaluator as Evaluator,
    () => {},
    () => rule,
  )
  const owner = { lose() {} }
  for (let i = 0; i < count; i++) {
    const demand: Demand = {
      rule,
      subject: subjectOf(i),
      cost: 1,
      mode: Mode.CHARGE,
      penalized: false,
      terms: { keptFor: TTL },
    }
    keeper.add(
      { policy: { edges: () => undefined } as never, demand, held: 1, to: 9e6 } as unknown as Holding,
      owner,
    )
  }
  now = TTL
  return {
    turns,
    owner,
    async run(): Promise<void> {
      for (turns.push({ calls: 0, units: 0 }), vi.advanceTimersByTime(TTL / 3000); turns.at(-1)!.units > 0;) {
        turns.push({ calls: 0, units: 0 })
        await new Promise(resolve => void setImmediate(resolve))
      }
      turns.pop()
      keeper.close()
    },
  }
}

it.each([
  ['of as many counters', (i: number) => `user:${i}`, 500],
  ['of one counter', () => 'user:42', 1],
])(
  'a process keeps 30 000 holds %s in slices, so that no turn of the event loop keeps many',
  async (_name, subjectOf, calls) => {
    const { turns, run } = keeping(30_000, subjectOf)
    await run()
    expect(turns).toEqual(Array.from({ length: 60 }, () => ({ calls, units: 500 })))
  },
)
