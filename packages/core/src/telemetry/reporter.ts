import { abuseScore } from '../algorithms/index.ts'
import { channels } from './channels.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { Decision } from '../check/decision.ts'
import type { PolicyVerdict } from '../check/policy-verdict.ts'
import type { Warn } from '../base/warnings.ts'
import { decisionNotifier, notifier } from './hooks.ts'
import { isReported, type Check } from '../check/check.ts'
import { Memo } from '../base/memo.ts'
import { methodName } from '../request/method.ts'
import type { RequestView } from '../request/view.ts'
import { penaltyStatus, quotaUsage, thresholdReached } from './usage.ts'
import type { Demand, Store, Evaluation } from '../store/contract.ts'
import type { DecisionMetadata, Hook, Notify, StoreRecovery, Telemetry } from './telemetry.ts'

const { decision: decisions, penalty: penalties, quota: quotas } = channels

/** Tells telemetry and channels what a limiter decided. Costs a few comparisons when nobody listens. */
export class TelemetryReporter {
  readonly #notify: Notify
  readonly #notifyOfDecision: Hook<'onCheck'>
  readonly #listened: boolean
  readonly #store: string
  // Which violation of whom was told last: all refusals of one call to the store have one instant.
  readonly #told = new Memo<string>(1024)

  constructor(telemetry: Telemetry | undefined, store: Store, warn: Warn) {
    this.#notify = notifier(telemetry, warn)
    this.#notifyOfDecision = decisionNotifier(telemetry, warn)
    this.#listened = telemetry !== undefined
    this.#store = store.kind ?? 'custom'
    this.#notify('onStore', store)
  }

  /** The instant a decision starts at, milliseconds; undefined when nobody asks. */
  start(): number | undefined {
    return this.#listened || decisions.hasSubscribers ? performance.now() : undefined
  }

  decided(
    decision: Decision,
    check: Check,
    evaluation: Evaluation | undefined,
    view: RequestView | undefined,
    started: number | undefined,
  ): void {
    const listened = this.#listened
    if (listened || decisions.hasSubscribers)
      this.#tell(decision, bindingOf(check, decision.policy), view, started)
    if (evaluation === undefined) return
    if (listened || quotas.hasSubscribers) this.#tellQuotas(check, evaluation)
    this.scored(check, evaluation)
  }

  /** Tells of the violation that a refusal was, if it was one. */
  scored(check: Check, evaluation: Evaluation): void {
    if (check.penalty !== undefined && (this.#listened || penalties.hasSubscribers))
      this.#tellPenalty(check, evaluation)
  }

  refused(
    decision: Decision,
    policy: CompiledPolicy | undefined,
    view: RequestView,
    started: number | undefined,
  ): void {
    if (this.#listened || decisions.hasSubscribers) this.#tell(decision, policy, view, started)
  }

  exempt(
    decision: Decision,
    policy: CompiledPolicy | undefined,
    view: RequestView,
    started: number | undefined,
  ): void {
    if (this.#listened || decisions.hasSubscribers)
      this.#notify('onExempt', decision.key, decision, this.#metadata(decision, policy, view, started))
  }

  storeFailed(error: unknown, failure: string): void {
    this.#notify('onStoreError', error, { failure, store: this.#store })
  }

  storeRecovered(recovery: Omit<StoreRecovery, 'store'>): void {
    this.#notify('onStoreRecovered', { ...recovery, store: this.#store })
  }

  #tell(
    decision: Decision,
    policy: CompiledPolicy | undefined,
    view: RequestView | undefined,
    started: number | undefined,
  ): void {
    this.#notifyOfDecision(decision.key, decision, this.#metadata(decision, policy, view, started))
  }

  #metadata(
    decision: Decision,
    policy: CompiledPolicy | undefined,
    view: RequestView | undefined,
    started: number | undefined,
  ): DecisionMetadata {
    return {
      policy: decision.policy,
      algorithm: policy?.algorithm ?? 'none',
      keyStrategy: policy?.keyStrategy ?? 'none',
      endpoint: view === undefined ? 'none' : endpointOf(view),
      cost: decision.cost,
      plan: policy?.plan,
      outcome: outcomeOf(decision),
      degraded: decision.degraded,
      // Who subscribed in the middle of a decision missed its start.
      durationMs: started === undefined ? 0 : performance.now() - started,
      store: this.#store,
    }
  }

  #tellQuotas(check: Check, evaluation: Evaluation): void {
    const { policies, demands } = check
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as CompiledPolicy
      if (policy.calendar === undefined || isReported(check, i)) continue
      const demand = demands[i] as Demand
      const usage = quotaUsage(policy, demand, evaluation, i)
      const passed = evaluation.passes[i] === true
      this.#notify('onQuotaCheck', demand.subject, usage, passed)
      if (!passed) this.#notify('onQuotaExceeded', demand.subject, usage)
      else if (evaluation.allowed && !evaluation.repeated) {
        const threshold = thresholdReached(policy, usage, demand.cost)
        if (threshold !== undefined) this.#notify('onQuotaThreshold', demand.subject, usage, threshold)
      }
    }
  }

  #tellPenalty({ penalty }: Check, evaluation: Evaluation): void {
    const state = evaluation.penalty
    // Recorded by this very decision: its instant is the last violation's.
    if (penalty === undefined || evaluation.allowed || abuseScore.last(state) !== evaluation.now) return
    const violation = `${evaluation.now} ${abuseScore.violations(state)}`
    if (this.#told.get(penalty.subject) === violation) return
    this.#told.set(penalty.subject, violation)
    const status = penaltyStatus(penalty.rule, evaluation)
    this.#notify('onViolation', penalty.subject, status, penalty.rule.severity / 1e6)
    if (abuseScore.starts(state, evaluation.now, penalty.rule))
      this.#notify('onPenaltyApplied', penalty.subject, status)
  }
}

function bindingOf({ policies }: Check, name: string): CompiledPolicy | undefined {
  for (let i = 0; i < policies.length; i++) if (policies[i]?.name === name) return policies[i]
  return policies[0]
}

function outcomeOf({ reason, allowed, verdicts }: Decision): DecisionMetadata['outcome'] {
  if (reason === 'exempt') return 'exempt'
  if (!allowed) return 'blocked'
  for (let i = 0; i < verdicts.length; i++) {
    const said = verdicts[i] as PolicyVerdict
    if (!said.allowed && said.mode === 'shadow') return 'shadow_blocked'
  }
  return 'allowed'
}

function endpointOf({ method, route }: RequestView): string {
  const verb = methodName(method)
  if (route === undefined) return verb
  return `${verb} ${typeof route === 'string' ? route : route.pattern}`
}
