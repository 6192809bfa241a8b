import type { CompiledPolicy } from './compiled-policy.ts'
import type { Decision } from './decision.ts'
import type { Warn } from './errors.ts'
import type { Question } from './question.ts'
import { Recent } from './request/recent.ts'
import type { RequestView } from './request/view.ts'
import type { Verdict } from './store/contract.ts'
import { penaltyStatus, quotaUsage, thresholdReached } from './status.ts'
import { type DecisionMetadata, type Notify, notifier, type Telemetry } from './telemetry.ts'

/** Tells telemetry what a limiter decided. Costs a comparison when there is none. */
export class Observer {
  readonly #notify: Notify | undefined
  readonly #store: string
  // Which violation of whom was told last: all refusals of one call to the store have one instant.
  readonly #told = new Recent<string>(1024)

  constructor(telemetry: Telemetry | undefined, store: string, warn: Warn) {
    this.#notify = telemetry === undefined ? undefined : notifier(telemetry, warn)
    this.#store = store
  }

  /** The instant a decision starts at, milliseconds; 0 when nobody asks. */
  start(): number {
    return this.#notify === undefined ? 0 : performance.now()
  }

  decided(
    decision: Decision,
    question: Question,
    verdict: Verdict | undefined,
    view: RequestView | undefined,
    started: number,
  ): void {
    if (this.#notify === undefined) return
    const item = question.items.find(({ policy }) => policy.name === decision.policy) ?? question.items[0]
    this.#tell(decision, item?.policy, view, started)
    if (verdict !== undefined) this.#tellQuotas(question, verdict)
    if (verdict !== undefined && question.group.penalty !== undefined) this.#tellPenalty(question, verdict)
  }

  refused(decision: Decision, policy: CompiledPolicy | undefined, view: RequestView, started: number): void {
    if (this.#notify !== undefined) this.#tell(decision, policy, view, started)
  }

  exempt(decision: Decision, policy: CompiledPolicy | undefined, view: RequestView, started: number): void {
    if (this.#notify === undefined) return
    this.#notify('onExempt', decision.key, decision, this.#metadata(decision, policy, view, started))
  }

  storeFailed(error: unknown, failure: string): void {
    this.#notify?.('onStoreError', error, { failure, store: this.#store })
  }

  #tell(
    decision: Decision,
    policy: CompiledPolicy | undefined,
    view: RequestView | undefined,
    started: number,
  ): void {
    const metadata = this.#metadata(decision, policy, view, started)
    this.#notify?.('onCheck', decision.key, decision, metadata)
    this.#notify?.(decision.allowed ? 'onAllowed' : 'onBlocked', decision.key, decision, metadata)
  }

  #metadata(
    decision: Decision,
    policy: CompiledPolicy | undefined,
    view: RequestView | undefined,
    started: number,
  ): DecisionMetadata {
    const shadowed =
      decision.allowed && decision.verdicts.some(({ allowed, mode }) => mode === 'shadow' && !allowed)
    return {
      policy: decision.policy,
      algorithm: policy?.algorithm ?? 'none',
      keyStrategy: policy?.keyStrategy ?? 'none',
      endpoint:
        view === undefined ? 'none' : view.route === undefined ? view.method : `${view.method} ${view.route}`,
      cost: decision.cost,
      plan: policy?.plan,
      outcome:
        decision.reason === 'exempt'
          ? 'exempt'
          : !decision.allowed
            ? 'blocked'
            : shadowed
              ? 'shadow_blocked'
              : 'allowed',
      degraded: decision.degraded,
      durationMs: performance.now() - started,
      store: this.#store,
    }
  }

  #tellQuotas({ items, group }: Question, verdict: Verdict): void {
    for (const { policy, at, shadow } of items) {
      if (policy.calendar === undefined || shadow) continue
      const demand = group.demands[at]
      if (demand === undefined) continue
      const usage = quotaUsage(policy, demand, verdict, at)
      const passed = verdict.passes[at] === true
      this.#notify?.('onQuotaCheck', demand.subject, usage, passed)
      const threshold =
        passed && verdict.allowed && !verdict.repeated
          ? thresholdReached(policy, usage, demand.cost)
          : undefined
      if (!passed || threshold !== undefined)
        this.#notify?.('onQuotaExceeded', demand.subject, { ...usage, threshold })
    }
  }

  #tellPenalty({ group }: Question, verdict: Verdict): void {
    const state = verdict.penalty
    // Recorded by this very decision: its instant is the last violation's.
    if (group.penalty === undefined || verdict.allowed || state.length === 0 || state[2] !== verdict.now)
      return
    const violation = `${verdict.now} ${state[3]}`
    if (this.#told.get(group.penalty.subject) === violation) return
    this.#told.set(group.penalty.subject, violation)
    const status = penaltyStatus(group.penalty.rule, verdict)
    this.#notify?.('onViolation', group.penalty.subject, status, group.penalty.rule.severity / 1e6)
    const justStarted =
      state[0]! > verdict.now &&
      state[5]! >= state[0]! &&
      state[0]! - verdict.now >= group.penalty.rule.duration
    if (justStarted) this.#notify?.('onPenaltyApplied', group.penalty.subject, status)
  }
}
