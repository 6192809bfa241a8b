// Whatever happens to processes that lease units: none is lost, and none is counted twice.
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import type { Decision, RatePolicy } from '@halt/core'
import { Control } from '../../src/index.ts'
import { world } from '../../../core/test/world.ts'
import { processes } from '../../../core/test/lease/processes.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

const COUNT = 3

type Op =
  | { do: 'ask'; process: number; ms: number; each: number; cost: number }
  | { do: 'settle'; which: number; units: number }
  | { do: 'change'; limit: number }
  | { do: 'close'; process: number }
  | { do: 'fail' | 'answer' }
  | { do: 'pass'; ms: number }

const process = fc.nat(COUNT - 1)
const ops: fc.Arbitrary<Op[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('ask' as const),
        process,
        ms: fc.integer({ min: 1, max: 25 }),
        each: fc.constantFrom(1, 1, 4),
        cost: fc.constantFrom(1, 1, 3),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant('settle' as const),
        which: fc.nat(),
        units: fc.integer({ min: 0, max: 6 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('change' as const), limit: fc.integer({ min: 20, max: 900 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), process }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom('fail' as const, 'answer' as const, 'answer' as const) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 30, 150, 2000) }),
    },
  ),
  { minLength: 4, maxLength: 25, size: 'max' },
)

interface Used {
  readonly process: number
  readonly decision: Decision
  units: number
}

/** Plays a history with a store that answers after twice some milliseconds. Returns what was used, and what the store has counted. */
async function play(
  history: readonly Op[],
  policy: RatePolicy,
  delay: number,
): Promise<{ used: number; counted: number }> {
  const control = new Control({ store: world().store })
  let isAway = false
  const hot = processes(COUNT, policy, {
    control,
    delay: () => delay,
    isAway: () => isAway,
    onStoreError: 'closed',
  })
  const used: Used[] = []
  const settled = new Set<Used>()
  const open = new Set(hot.limiters.keys())
  const running: Promise<unknown>[] = []
  const use = async (process: number, units: number): Promise<void> => {
    const decision = await hot.limiters[process]!.consume('s', { cost: units })
    if (decision.allowed) used.push({ process, decision, units })
  }
  for (const op of history) {
    if (op.do === 'ask' && open.has(op.process))
      for (let i = 0; i < op.ms; i++) {
        for (let j = 0; j < op.each; j++) running.push(use(op.process, op.cost))
        await hot.pass(1)
      }
    if (op.do === 'settle') {
      const one = used[op.which % used.length]
      if (one === undefined || settled.has(one) || !open.has(one.process)) continue
      settled.add(one)
      one.units = op.units
      running.push(hot.limiters[one.process]!.settle(one.decision, op.units))
    }
    if (op.do === 'change') await control.change('hot', { limit: op.limit })
    if (op.do === 'close') {
      open.delete(op.process)
      running.push(hot.limiters[op.process]!.close())
    }
    if (op.do === 'pass') await hot.pass(op.ms)
    if (op.do === 'fail' || op.do === 'answer') isAway = op.do === 'fail'
  }
  isAway = false
  await hot.pass(3000)
  // An outage ends with the next answer, and what it held up is sent then.
  for (const process of open) running.push(hot.limiters[process]!.peek('s'))
  await hot.pass(300)
  running.push(...hot.limiters.map(async limiter => limiter.close()))
  await hot.pass(50)
  await Promise.all(running)
  control.close()
  const { lease: _, ...exact } = policy
  const { remaining } = await hot.limiter({ ...exact, limit: 5000 }).peek('s')
  return { used: used.reduce((sum, { units }) => sum + units, 0), counted: 5000 - remaining }
}

it('the units that processes use are counted exactly, whatever changes under their leases', () =>
  fc.assert(
    fc.asyncProperty(
      ops,
      fc.constantFrom('fixed-window' as const, 'sliding-window' as const),
      fc.constantFrom(0, 1, 3),
      async (history, algorithm, delay) => {
        const lease = { share: 0.1, idle: '100ms' }
        const policy: RatePolicy = { name: 'hot', limit: 400, window: '1h', algorithm, lease }
        const { used, counted } = await play(history, policy, delay)
        expect(counted).toBe(used)
      },
    ),
    { numRuns: isFull ? 300 : 25 },
  ))
