import type { Check } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { Telemetry } from '../check/telemetry.ts'
import type { Warn } from '../base/warnings.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { RequestView } from '../request/view.ts'
import type { OnAnswer } from '../store/checked-evaluate.ts'
import type { Store, StoreFailure } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'

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
  heard: OnAnswer
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
