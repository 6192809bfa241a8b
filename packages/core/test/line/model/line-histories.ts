// Random histories of callers that wait: what users, processes, operators and the network do.
import fc from 'fast-check'

/** Processes that live at first. */
export const COUNT = 3

/** Units a second. Each is prime to a million, so that a unit stays the same debt. */
const LIMITS = [3, 7, 13, 21] as const

/** What becomes of the next question of a process. */
export type Failure = 'question lost' | 'answer lost' | 'answer late'

export type Op =
  | { do: 'ask'; who: number; cost: number; count: number }
  | { do: 'leave'; which: number; whom: 'one' | 'process' | 'all' }
  | { do: 'fail'; who: number; how: Failure }
  | { do: 'change'; who: number; limit: number }
  | { do: 'die'; who: number }
  | { do: 'lose' }
  | { do: 'pass'; ms: number }

/** A history, and the bucket of its policy. */
export interface History {
  readonly ops: readonly Op[]
  readonly limit: number
  readonly burst: number
  readonly seed: number
}

const who = fc.nat(COUNT - 1)
const ask = fc.record({
  do: fc.constant('ask' as const),
  who,
  cost: fc.constantFrom(1, 1, 1, 2),
  count: fc.constantFrom(1, 1, 2, 4),
})
const leave = fc.record({
  do: fc.constant('leave' as const),
  which: fc.nat(30),
  whom: fc.constantFrom('one' as const, 'one' as const, 'process' as const, 'all' as const),
})
const fail = fc.record({
  do: fc.constant('fail' as const),
  who,
  how: fc.constantFrom<Failure>('question lost', 'answer lost', 'answer late'),
})
const pass = fc.record({
  do: fc.constant('pass' as const),
  ms: fc.constantFrom(0, 3, 20, 100, 300, 700, 1500, 4000),
})
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 10, arbitrary: ask },
  { weight: 8, arbitrary: pass },
  { weight: 3, arbitrary: leave },
  { weight: 3, arbitrary: fail },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('change' as const), who, limit: fc.constantFrom(...LIMITS) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const) }) },
)

export const histories: fc.Arbitrary<History> = fc.record({
  ops: fc.array(op, { minLength: 8, maxLength: 40, size: 'max' }),
  limit: fc.constantFrom(...LIMITS),
  burst: fc.constantFrom(2, 2, 3, 5),
  seed: fc.nat(1_000_000),
})
