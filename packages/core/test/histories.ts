// Random policies and histories, and a store that tells the exact wait of its last answer.
import fc from 'fast-check'

import { type Decision, type Policy, RateLimiter, type RateLimiterOptions } from '../src/index.ts'
import { type Group, type Store, type Evaluation, waitFor } from '../src/databases/index.ts'
import { ReferenceStore } from '../src/testing/index.ts'
import { START, view } from './world.ts'

/** Microseconds. */
export const SECOND = 1e6

/** A store on a clock of whole microseconds that keeps its last evaluation, so that tests can read the exact wait. */
export class RecordingStore implements Store {
  readonly kind = 'watched'
  now: number = START * 1000
  #inner: ReferenceStore = new ReferenceStore(() => this.now / 1000)
  #last: [Group, Evaluation] | undefined

  evaluate(group: Group): Evaluation {
    const evaluation = this.#inner.evaluate(group)
    this.#last = [group, evaluation]
    return evaluation
  }

  forget(): number {
    return 0
  }

  /** Microseconds until the whole last group passes. */
  get wait(): number {
    const [group, evaluation] = this.#last as [Group, Evaluation]
    return Math.max(
      ...group.demands.map((demand, i) => waitFor(demand, evaluation.states[i] ?? [], evaluation)),
    )
  }
}

type Penalty = RateLimiterOptions['penalty']

/** One request of a history. */
export interface HistoryStep {
  /** Microseconds since the last request. */
  readonly after: number
  readonly cost: number
}

const aPolicy = (name: string): fc.Arbitrary<Policy> =>
  fc
    .record({
      algorithm: fc.constantFrom('token-bucket', 'fixed-window', 'sliding-window'),
      limit: fc.integer({ min: 1, max: 20 }),
      window: fc.constantFrom('1ms', '700ms', '1s', '7s', '1m'),
      burst: fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
      precision: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
      blockDuration: fc.option(fc.constantFrom('3ms', '2500ms', '40s'), { nil: undefined, freq: 4 }),
    })
    .map(({ algorithm, burst, precision, ...rest }) => ({
      ...rest,
      name,
      algorithm,
      ...(algorithm === 'token-bucket' ? { burst } : {}),
      ...(algorithm === 'sliding-window' ? { precision } : {}),
    })) as fc.Arbitrary<Policy>

/** One to three policies. */
export const somePolicies: fc.Arbitrary<Policy[]> = fc
  .integer({ min: 1, max: 3 })
  .chain(count => fc.tuple(...Array.from({ length: count }, (_, i) => aPolicy(`p${i}`))))

/** A history. */
export const histories: fc.Arbitrary<HistoryStep[]> = fc.array(
  fc.record({
    after: fc.oneof(fc.constantFrom(0, 1, 1000, 250_000, SECOND), fc.integer({ min: 0, max: 8 * SECOND })),
    cost: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 4 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }) },
    ),
  }),
  { minLength: 1, maxLength: 40 },
)

/** A penalty, or no penalty. */
export const penalties: fc.Arbitrary<Penalty> = fc.option(
  fc.record({
    threshold: fc.constantFrom(1, 2),
    multiplier: fc.constantFrom(0.3, 0.5),
    duration: fc.constantFrom(1, 20),
    cooldown: fc.constantFrom(0, 1),
  }),
  { nil: undefined },
)

/** Plays a whole history on a new limiter. */
export async function play(
  policies: readonly Policy[],
  history: readonly HistoryStep[],
  penalty: Penalty,
): Promise<{ store: RecordingStore; limiter: RateLimiter; last: Decision }> {
  const store = new RecordingStore()
  const limiter = new RateLimiter({ store, policy: policies, penalty, warn: () => {} })
  let last: Decision | undefined
  for (const { after, cost } of history) {
    store.now += after
    last = await limiter.check(view(), { cost })
  }
  return { store, limiter, last: last as Decision }
}
