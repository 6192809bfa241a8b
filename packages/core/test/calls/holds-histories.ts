// Random histories of calls that hold units: what users, processes and operators do, and what becomes of questions.
import fc from 'fast-check'

/** Processes that live at first, and those that take the place of one that ended. */
export const [COUNT, MOST] = [3, 8]

/** What becomes of the next questions of a process. */
export type Failure = 'not sent' | 'question lost' | 'answer lost' | 'answer late' | 'question late'

export type Op =
  | { do: 'reserve'; who: number; cost: number; ttl: string | undefined; least: boolean; chunk: number }
  | { do: 'charge'; which: number; units: number }
  | { do: 'settle'; which: number; more: number }
  | { do: 'cancel'; which: number }
  | { do: 'consume'; who: number; units: number }
  | { do: 'fail'; who: number; how: Failure; times: number }
  | { do: 'die'; who: number; limit: number }
  | { do: 'grant'; units: number }
  | { do: 'pass' | 'near the edge' | 'sleep'; ms: number }
  | { do: 'to an end'; micros: number; sleeps: boolean }

/** A history, and the world in which it is played. */
export interface History {
  readonly ops: readonly Op[]
  /** When the period ends. */
  readonly edgeMs: number
  /** How long a question and an answer take. Undefined: the store answers at once, as one in this process. */
  readonly delay: number | undefined
}

const who = fc.nat(MOST)
const which = fc.nat(30)
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('reserve' as const),
      who,
      cost: fc.integer({ min: 1, max: 400 }),
      ttl: fc.constantFrom('1s', '1s', '3s', undefined),
      least: fc.boolean(),
      chunk: fc.constantFrom(1, 70),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('charge' as const),
      which,
      units: fc.integer({ min: 1, max: 150 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      which,
      more: fc.integer({ min: -50, max: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('consume' as const),
      who,
      units: fc.integer({ min: 1, max: 200 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      who,
      how: fc.constantFrom<Failure>(
        'not sent',
        'question lost',
        'answer lost',
        'answer late',
        'question late',
      ),
      times: fc.constantFrom(1, 1, 4),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('die' as const), who, limit: fc.constantFrom(700, 1000, 1300) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('grant' as const), units: fc.constantFrom(100, 300) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(0, 20, 110, 400, 1200, 4000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('near the edge' as const), ms: fc.nat(400) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sleep' as const), ms: fc.constantFrom(900, 5000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('to an end' as const),
      micros: fc.constantFrom(-1, 0, 0, 1),
      sleeps: fc.boolean(),
    }),
  },
)

export const histories: fc.Arbitrary<History> = fc.record({
  ops: fc.array(op, { minLength: 8, maxLength: 50, size: 'max' }),
  edgeMs: fc.constantFrom(2000, 6000, 60_000),
  delay: fc.constantFrom(undefined, 0, 3, 30),
})
