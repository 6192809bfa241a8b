import { algorithmOf } from '../algorithms/index.ts'
import type { Warn } from '../base/warnings.ts'
import type { ChargeRecord } from '../check/charge-record.ts'
import type { Evaluator, RuledCounter } from '../check/evaluator.ts'
import type { Group, IdempotencyDemand } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import type { CorrectionListener, LeaseEvaluator } from './wings.ts'

/** The parts of a limiter that its corrections use. */
export interface CorrectionsParts {
  readonly evaluator: Evaluator
  readonly leases: LeaseEvaluator | undefined
  readonly warn: Warn
}

/** Carries the corrections of counters to where the charges are: the store, this process, or both. Callers that wait hear of them. */
export class Corrections {
  readonly #parts: CorrectionsParts
  /** Callers that wait hear of corrections by it. */
  listener: CorrectionListener | undefined
  /**
   * Whether the store is closed, so that nothing can be charged any more. Later corrections are dropped, because they would be
   * reported as an outage.
   */
  isStoreClosed = false

  constructor(parts: CorrectionsParts) {
    this.#parts = parts
  }

  /**
   * Corrects what a decision charged. Resolves to the store's answer; undefined if the store was not asked or failed. A failure was
   * reported already, and the charge stands.
   *
   * @param where where the decision was charged
   * @param key the idempotency key of the call that was charged
   */
  async correct(
    correction: Group | undefined,
    where: ChargeRecord['recordedIn'],
    key?: IdempotencyDemand,
  ): Promise<Evaluation | undefined> {
    if (correction === undefined) return undefined
    if (this.isStoreClosed) return this.#noticeUnpaid(correction)
    const { evaluator } = this.#parts
    const rest = where === 'store' ? correction : evaluator.correctLocally(correction, where === 'local', key)
    try {
      // We do not know whether the store applied the charge, so we do not refund it.
      if (rest === undefined || where === 'unknown') return undefined
      return await this.#correctInStore(rest)
    } catch {
      return undefined
    } finally {
      this.listener?.freed(correction.demands)
    }
  }

  /**
   * The refund of a request that does not count, without the buckets in whose line callers wait. They start at the pace at which work
   * starts, so that work which fails at once does not let the next begin at once.
   */
  keepPace(refund: Group | undefined): Group | undefined {
    const demands = refund?.demands.filter(demand => this.listener?.isWaitedFor(demand) !== true)
    return demands === undefined || demands.length === 0 ? undefined : { ...refund, demands }
  }

  /** Applies a group whatever the limits. Rejects with `HALT_E_STORE` if the store fails. */
  async apply(group: Group): Promise<void> {
    this.#parts.leases?.release(group.demands)
    await this.#correctInStore(group)
  }

  /** Forgets counters in this process and in the store. Resolves to how many of them the store had. */
  forget(counters: readonly RuledCounter[]): Promise<number> {
    const { evaluator, leases } = this.#parts
    const reset = (): Promise<number> => {
      const sent = evaluator.ownTime()
      return evaluator.reset(counters, (group, evaluation) => this.#tellListener(group, evaluation, sent))
    }
    return leases === undefined ? reset() : leases.reset(counters, reset)
  }

  async #correctInStore(group: Group): Promise<Evaluation | undefined> {
    const { evaluator } = this.#parts
    const sent = evaluator.ownTime()
    const evaluation = await evaluator.correctInStore(group)
    if (evaluation !== undefined) this.#tellListener(group, evaluation, sent)
    return evaluation
  }

  #tellListener(group: Group, evaluation: Evaluation, sent: number): void {
    this.listener?.observe(group, evaluation, sent, this.#parts.evaluator.ownTime())
  }

  #noticeUnpaid({ demands }: Group): undefined {
    if (!demands.some(({ rule, cost }) => cost > 0 && algorithmOf(rule).isQuota)) return
    this.#parts.warn({
      code: 'HALT_W_UNPAID',
      message: 'A call with a budget was settled after its limiter was closed, so what it used stays unpaid.',
      fix: 'Settle or cancel each call before limiter.close().',
    })
  }
}
