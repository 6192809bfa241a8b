import type { WarnOnce, Warn } from '../base/warnings.ts'
import type { Check } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { Evaluator, RuledCounter } from '../check/evaluator.ts'
import type { Telemetry } from '../check/telemetry.ts'
import type { Adviser } from './adviser.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { OnStoreError } from '../policy/policy.ts'
import type { RequestView } from '../request/view.ts'
import type { Demand, Group, Store, StoreFailure } from '../store/contract.ts'
import type { OnAnswer } from '../store/evaluation-check.ts'
import type { Evaluation } from '../store/evaluation.ts'

/** What an evaluator is made of. */
export interface EvaluatorOptions {
  readonly store: Store
  /** The longest wait for the store, in milliseconds. */
  readonly timeout: number
  readonly onStoreError: OnStoreError
  readonly instances: number | 'auto'
  readonly warn: WarnOnce
  /** Called for every failure, those of probes included. */
  readonly onFailure: (error: unknown, failure: StoreFailure) => void
  /** Called for every answer about a quota, also one that comes after the deadline. */
  readonly onAnswer?: OnAnswer | undefined
  /** Called at the end of every outage, up to a number per minute. */
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
  observe(group: Group, evaluation: Evaluation, sent: number, arrived: number): void
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

/** Hears of a limiter's decisions, and of its store. A seam of the kernel: the reporter of `telemetry` fills it. */
export interface Witness {
  /** @internal The start of a decision, in milliseconds; undefined if nobody listens. */
  start(): number | undefined
  /** @internal A request was decided by policies that count it. */
  decided(
    decision: Decision,
    check: Check,
    evaluation: Evaluation | undefined,
    view: RequestView | undefined,
    started: number | undefined,
  ): void
  /** @internal The store has answered about a quota, whatever it was asked for and however late. */
  observe: OnAnswer
  /** @internal A request was refused that no policy counts. */
  refused: WitnessUncounted
  /** @internal A request was not counted: by an exemption, or because an operator lets the client pass. */
  exempt: WitnessUncounted
  /** @internal A refusal may have scored a violation. */
  scored(check: Check, evaluation: Evaluation): void
  /** @internal A call of the store failed. */
  storeFailed(error: unknown, failure: StoreFailure): void
  /** @internal The store answers again. */
  storeRecovered(recovery: { readonly failures: number; readonly lastedMs: number }): void
}

type WitnessUncounted = (
  decision: Decision,
  policy: CompiledPolicy | undefined,
  view: RequestView | undefined,
  started: number | undefined,
) => void

/** Makes the witness of a limiter, with its telemetry if it has one. */
export type MakeWitness = (telemetry: Telemetry | undefined, store: Store, warn: Warn) => Witness
