import { noticeMilliseconds } from '#misuse'

import { fromCaller } from '../base/warnings.ts'
import { abuseScore } from '../algorithms/index.ts'
import { describe, HaltError } from '../base/errors.ts'
import { type Duration, parseDuration } from '../base/duration.ts'
import { type CompiledPenalty, compilePenalty, type PenaltyConfig, POINT } from '../policy/penalty-config.ts'
import { type Identity, subjectOf, type Subject } from '../request/identity.ts'
import { penaltyStatus } from '../telemetry/usage.ts'
import { PenaltyMode, type Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { PENALTY_COUNTER } from '../store/beside-demands.ts'
import type { PenaltyStatus } from '../check/telemetry.ts'
import { checkNames } from '../base/options-check.ts'
import { type ManagerOptions, type ManagerParts, managerParts } from './manager-options.ts'

/** Options of {@link PenaltyManager}. */
export interface PenaltyManagerOptions extends ManagerOptions {
  /** The store of the limiter. */
  readonly store: Store
  /** The `penalty` of the limiter, so that both judge alike. Default: the default of each of its fields. */
  readonly config?: PenaltyConfig | undefined
}

/**
 * Scores abuse by identity. A score at the threshold starts a penalty. A bare string is a user's id.
 *
 * A limiter with `penalty` uses the same scores. With the limiter's `control`, a client that an operator has blocked or let pass scores no
 * violation, as in the limiter. When the store cannot answer, calls reject with `HALT_E_STORE`.
 *
 * @throws HaltError `HALT_E_PENALTY`
 * @example
 * const penalties = new PenaltyManager({ store, config: PENALTY_STRICT })
 * const penalty = await penalties.recordViolation('user_123', { severity: 2 })
 */
export class PenaltyManager {
  readonly #parts: ManagerParts & { readonly penalty: CompiledPenalty }

  constructor(options: PenaltyManagerOptions) {
    this.#parts = fromCaller(PenaltyManager, () => partsOf(options))
  }

  /** Reads the current score and penalty. */
  async getPenalty(identity: Identity): Promise<PenaltyStatus> {
    return this.#read(this.#subject(identity))
  }

  /**
   * Adds a violation of `severity` points (default 1), which may start a penalty. A client that an operator has blocked or let pass
   * scores nothing.
   *
   * @throws HaltError `HALT_E_PENALTY` for a severity that is not a number above 0 and up to 1 000 000
   */
  async recordViolation(
    identity: Identity,
    call: { readonly severity?: number | undefined } = {},
  ): Promise<PenaltyStatus> {
    checkNames(call, ['severity'], 'The call')
    const { severity = 1 } = call
    if (!(typeof severity === 'number' && severity > 0 && severity <= 1e6)) {
      throw new HaltError(
        'HALT_E_PENALTY',
        `severity is ${describe(severity)}.`,
        'Give a number of points above 0 and up to 1000000.',
      )
    }
    const { rule } = this.#parts.penalty
    const subject = this.#subject(identity)
    if (this.#parts.control?.accessFor(subject, this.#parts.store.clock) !== undefined)
      return this.#read(subject)
    const evaluation = await this.#evaluate(subject, PenaltyMode.RECORD, Math.round(severity * POINT))
    const status = penaltyStatus(rule, evaluation)
    this.#parts.notify('onViolation', subject, status, severity)
    if (abuseScore.starts(evaluation.penalty, evaluation.now, rule))
      this.#parts.notify('onPenaltyApplied', subject, status)
    return status
  }

  /**
   * Starts a penalty at once, for `duration` or by default for the configured duration. It does not shorten an active
   * penalty.
   */
  async applyPenalty(
    identity: Identity,
    call: { readonly duration?: Duration | undefined } = {},
  ): Promise<PenaltyStatus> {
    checkNames(call, ['duration'], 'The call')
    const { duration } = call
    const micros =
      duration === undefined
        ? this.#parts.penalty.rule.duration
        : parseDuration(duration, 'duration', 'HALT_E_PENALTY')
    const subject = this.#subject(identity)
    const evaluation = await this.#evaluate(subject, PenaltyMode.APPLY, micros)
    const status = penaltyStatus(this.#parts.penalty.rule, evaluation)
    if (abuseScore.until(evaluation.penalty) === evaluation.now + micros)
      this.#parts.notify('onPenaltyApplied', subject, status)
    return status
  }

  /** Forgets the score and ends the penalty. */
  async clearPenalty(identity: Identity): Promise<void> {
    const counter = { subject: this.#subject(identity), counter: PENALTY_COUNTER }
    await this.#parts.store.reset([counter])
  }

  async #read(subject: Subject): Promise<PenaltyStatus> {
    return penaltyStatus(this.#parts.penalty.rule, await this.#evaluate(subject, PenaltyMode.READ, 0))
  }

  async #evaluate(subject: Subject, mode: PenaltyMode, amount: number): Promise<Evaluation> {
    const penalty = { rule: this.#parts.penalty.rule, subject, mode, amount }
    return this.#parts.store.evaluateOrThrow({ demands: [], penalty })
  }

  #subject(identity: Identity): string {
    return subjectOf(identity, 'user', this.#parts.digest, this.#parts.ipv6Prefix)
  }
}

function partsOf(options: PenaltyManagerOptions): ManagerParts & { readonly penalty: CompiledPenalty } {
  const { config, store } = options ?? {}
  const parts = managerParts(store, options, {
    name: 'PenaltyManager',
    fix: 'Give new PenaltyManager({ store }).',
    options: ['store', 'config'],
  })
  const penalty = compilePenalty(config)
  if (config !== undefined) noticeMilliseconds('the penalty', config, parts.warn)
  return { ...parts, penalty }
}
