import type { Evaluator, RuledCounter } from '../check/evaluator.ts'
import type { WarnOnce } from '../base/warnings.ts'
import type { OnStoreError } from '../policy/policy.ts'
import type { Demand, Group, Store, StoreFailure } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import type { OnAnswer } from '../store/checked-evaluate.ts'
import type { Adviser } from './adviser.ts'
import type { MakeWitness } from './witness.ts'

/** What an evaluator is made of. */
export interface EvaluatorOptions {
  readonly store: Store
  /** The longest wait for the store, in milliseconds. */
  readonly timeout: number
  readonly onStoreError: OnStoreError
  readonly instances: number | 'auto'
  readonly warn: WarnOnce
  /** Called for every failure. */
  readonly onFailure: (error: unknown, failure: StoreFailure) => void
  readonly onAnswer?: OnAnswer | undefined
  /** Called at the end of every outage. */
  readonly onRecovery: (recovery: { readonly failures: number; readonly lastedMs: number }) => void
}

/** Decides checks of policies whose units this process takes in advance. */
export interface LeaseEvaluator extends Pick<Evaluator, 'evaluate' | 'charge'> {
  /** Gives back the units of some counters, because the counters are blocked. */
  release(counters: readonly Pick<Demand, 'subject' | 'rule'>[]): void
  /** Forgets the units of counters, and resets these once nothing of them is under way. */
  reset(counters: readonly RuledCounter[], reset: () => Promise<number>): Promise<number>
  /** Gives back everything, and takes nothing more. */
  close(): Promise<void>
}

/** Hears of the corrections of a limiter, as callers that wait do. */
export interface CorrectionListener {
  /** Hears the store's answer. `sent` and `arrived` are instants of {@link Evaluator.ownTime}. */
  heard(group: Group, evaluation: Evaluation, sent: number, arrived: number): void
  /** Whether callers of this process wait in the line of a demand's counter. */
  isWaitedFor(demand: Demand): boolean
  /** Hears that units were given back, or that the store did not answer. */
  freed(demands: readonly Demand[]): void
}

/** The capabilities that a limiter is made with, beside its kernel. A limiter without one costs nothing for it. */
export interface Wings {
  /** Stands in front of every store that does not bring an evaluator of its own. */
  readonly evaluator?: ((options: EvaluatorOptions) => Evaluator) | undefined
  readonly leases?: ((evaluator: Evaluator, store: Store) => LeaseEvaluator) | undefined
  readonly witness?: MakeWitness | undefined
  /** @internal */
  readonly adviser?: Adviser | undefined
}
