import { type Rule, algorithmOf } from '../algorithms/index.ts'
import type { Idler } from '../base/idleness.ts'
import type { ChargeAnswer } from '../store/admitted.ts'
import { type CounterId, type Group, type IdempotencyDemand, Mode } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import type { StoreClock } from '../store/store-clock.ts'
import type { CheckResult } from './check-result.ts'
import type { Check } from './check.ts'

/** A counter with the rule by which it counts. */
export interface RuledCounter extends CounterId {
  readonly rule: Rule
}

/**
 * Answers checks: the store itself if it is synchronous, or what stands in front of it and answers when it cannot. A seam of the
 * kernel: `resilience` fills it, and `lease` in front of it.
 */
export interface Evaluator {
  /** The store's clock. */
  readonly clock: StoreClock
  /** The calls of the store that are under way. */
  readonly calls: Idler
  /** The number of processes that share the store, as far as it is known. */
  readonly instances: () => number
  /**
   * Answers a check.
   *
   * @param failed whether the store already failed for this request. A request waits for the store only once.
   * @param whole the check that is decided without the store, if the store is asked for only a part of it
   */
  evaluate(check: Check, failed?: boolean, whole?: Check): CheckResult | Promise<CheckResult>
  /** Charges one counter at once. Returns undefined if {@link evaluate} must decide. */
  charge(subject: string, rule: Rule, cost: number): ChargeAnswer | undefined
  /**
   * Evaluates a group that no request waits for, and passes its evaluation on; undefined if there is none in time.
   *
   * @param heard `mayBeApplied`: whether the store may have applied the group though there is no evaluation
   */
  ask(group: Group, heard: (evaluation: Evaluation | undefined, mayBeApplied?: boolean) => void): void
  /** Corrects counters. Resolves to undefined if the store is to be told later. Rejects if it fails. */
  correctInStore(group: Group): Promise<Evaluation | undefined>
  /**
   * Corrects charges that were decided without the store. Returns the part that only the store can correct.
   *
   * @param isOwed whether the store is told of the charges later; false if it may know of them already
   * @param idempotency the key of the call that was charged
   */
  correctLocally(group: Group, isOwed: boolean, idempotency?: IdempotencyDemand): Group | undefined
  /**
   * Forgets counters. Resolves to how many of them existed. Rejects if the store fails.
   *
   * @param heard called with the answers about counters that may have a line
   */
  reset(
    counters: readonly RuledCounter[],
    heard: (group: Group, evaluation: Evaluation) => void,
  ): Promise<number>
  /** The clock by which this process measures how long something takes, in microseconds: the store's own if it tells it. */
  ownTime(): number
  /** Tells the store what was decided without it. Never rejects. */
  writeBack(): Promise<void>
}

/** Whether callers may stand in line for a counter, so that a reset must not forget it as a whole. */
export function mayHaveLine({ rule }: RuledCounter): boolean {
  return algorithmOf(rule).line !== undefined
}

/** The group that resets a counter for which callers may stand in line. */
export function resetGroup({ subject, rule }: RuledCounter): Group {
  return { demands: [{ rule, subject, cost: 0, mode: Mode.RESET, penalized: false }] }
}
