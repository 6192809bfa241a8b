import { abuseScore } from '../algorithms/index.ts'
import { Memo } from '../base/bounded-memory.ts'
import type { Warn } from '../base/warnings.ts'
import type { MakeWitness, Witness } from '../charge/wings.ts'
import { isShadowed, type Check } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { DecisionMetadata, Hook, Notify, StoreRecovery, Telemetry } from '../check/telemetry.ts'
import type { PolicyVerdict } from '../check/verdict-reader.ts'
import type { CompiledPolicy } from '../policy/compiled-policy.ts'
import { methodName } from '../request/route.ts'
import type { RequestView } from '../request/view.ts'
import { capabilitiesOf } from '../store/capabilities.ts'
import type { StoreFailure, Demand, Group, Store } from '../store/contract.ts'
import type { AskStore } from '../store/evaluation-check.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt, isHeldUp } from '../store/reading.ts'
import { channels } from './channels.ts'
import { decisionNotifier, notifier } from './notifier.ts'
import { Thresholds } from './thresholds.ts'
import { penaltyStatus, quotaUsage } from './usage.ts'

const { decision: decisions, penalty: penalties, quota: quotas } = channels

/** Reports the decisions of a limiter to its telemetry and to the channels. Costs a few comparisons when neither listens. */
class TelemetryReporter implements Witness {
  readonly #notify: Notify
  readonly #notifyOfDecision: Hook<'onCheck'>
  readonly #hasTelemetry: boolean
  readonly #thresholds: Thresholds
  readonly #store: string
  // By subject: the violation that was reported last. All refusals of one store call have the same instant.
  readonly #lastReported = new Memo<string>(1024)

  constructor(telemetry: Telemetry | undefined, store: Store, warn: Warn) {
    this.#notify = notifier(telemetry, warn)
    this.#notifyOfDecision = decisionNotifier(telemetry, warn)
    this.#hasTelemetry = telemetry !== undefined
    this.#thresholds = new Thresholds(telemetry, this.#notify)
    this.#store = capabilitiesOf(store).kind
    this.#notify('onStore', store)
  }

  start(): number | undefined {
    return this.#hasTelemetry || decisions.hasSubscribers ? performance.now() : undefined
  }

  decided(
    decision: Decision,
    check: Check,
    evaluation: Evaluation | undefined,
    view: RequestView | undefined,
    started: number | undefined,
  ): void {
    const hasTelemetry = this.#hasTelemetry
    if (hasTelemetry || decisions.hasSubscribers)
      this.refused(decision, bindingOf(check, decision.policy), view, started)
    if (evaluation === undefined) return this.#thresholds.note(check)
    if (hasTelemetry || quotas.hasSubscribers) this.#reportQuotas(check, evaluation)
    this.scored(check, evaluation)
  }

  observe(group: Group, evaluation: Evaluation, ask: AskStore): void {
    this.#thresholds.observe(group, evaluation, ask)
  }

  scored(check: Check, evaluation: Evaluation): void {
    if (check.penalty !== undefined && (this.#hasTelemetry || penalties.hasSubscribers))
      this.#reportPenalty(check, evaluation)
  }

  readonly refused: Witness['refused'] = (decision, policy, view, started) => {
    if (this.#hasTelemetry || decisions.hasSubscribers)
      this.#notifyOfDecision(decision.key, decision, this.#metadata(decision, policy, view, started))
  }

  readonly exempt: Witness['exempt'] = (decision, policy, view, started) => {
    if (this.#hasTelemetry || decisions.hasSubscribers)
      this.#notify('onExempt', decision.key, decision, this.#metadata(decision, policy, view, started))
  }

  storeFailed(error: unknown, failure: StoreFailure): void {
    this.#notify('onStoreError', error, { failure, store: this.#store })
  }

  storeRecovered(recovery: Omit<StoreRecovery, 'store'>): void {
    this.#notify('onStoreRecovered', { ...recovery, store: this.#store })
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
      // A subscriber that came during the decision missed its start.
      durationMs: started === undefined ? 0 : performance.now() - started,
      store: this.#store,
    }
  }

  #reportQuotas(check: Check, evaluation: Evaluation): void {
    const { policies, demands } = check
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i] as CompiledPolicy
      if (policy.calendar === undefined || isShadowed(check, i)) continue
      const demand = demands[i] as Demand
      const own = evaluationAt(evaluation, i)
      const usage = quotaUsage(policy, demand, own, i)
      const passed = own.passes[i] === true
      this.#notify('onQuotaCheck', demand.subject, usage, passed)
      if (!passed && !isHeldUp(demand, own.states[i] ?? [], own))
        this.#notify('onQuotaExceeded', demand.subject, usage)
    }
  }

  #reportPenalty({ penalty }: Check, evaluation: Evaluation): void {
    const state = evaluation.penalty
    // This decision scored a violation if its instant equals that of the last violation.
    if (penalty === undefined || evaluation.allowed || abuseScore.last(state) !== evaluation.now) return
    const violation = `${evaluation.now} ${abuseScore.violations(state)}`
    if (this.#lastReported.get(penalty.subject) === violation) return
    this.#lastReported.set(penalty.subject, violation)
    const status = penaltyStatus(penalty.rule, evaluation)
    this.#notify('onViolation', penalty.subject, status, penalty.rule.severity / 1e6)
    if (abuseScore.starts(state, evaluation.now, penalty.rule))
      this.#notify('onPenaltyApplied', penalty.subject, status)
  }
}

/** Tells a limiter's telemetry, and the channels of the runtime, what the limiter decides. */
export const reporter: MakeWitness = (telemetry, store, warn) => new TelemetryReporter(telemetry, store, warn)

function bindingOf({ policies }: Check, name: string): CompiledPolicy | undefined {
  for (let i = 0; i < policies.length; i++) if (policies[i]?.name === name) return policies[i]
  return policies[0]
}

function outcomeOf({ reason, allowed, verdicts }: Decision): DecisionMetadata['outcome'] {
  if (reason === 'exempt') return 'exempt'
  if (!allowed) return 'blocked'
  for (let i = 0; i < verdicts.length; i++) {
    const verdict = verdicts[i] as PolicyVerdict
    if (!verdict.allowed && verdict.mode === 'shadow') return 'shadow_blocked'
  }
  return 'allowed'
}

function endpointOf({ method, route }: RequestView): string {
  const verb = methodName(method)
  if (route === undefined) return verb
  return `${verb} ${typeof route === 'string' ? route : route.pattern}`
}

type LineHook = 'onWaiting' | 'onTurn' | 'onLeave'

/** Reports the callers that wait for their turn. Costs a comparison when nobody listens. */
export class LineReporter {
  readonly #notify: Notify
  readonly #hasTelemetry: boolean

  constructor(telemetry: Telemetry | undefined, warn: Warn) {
    this.#notify = notifier(telemetry, warn)
    this.#hasTelemetry = telemetry !== undefined
  }

  /** Calls a hook as soon as the line is at rest, because the hook may join the line or leave it. */
  tell<K extends LineHook>(hook: K, key: string, caller: Parameters<Hook<K>>[1]): void {
    if (!this.#hasTelemetry && !channels.line.hasSubscribers) return
    const notify = this.#notify as (name: LineHook, of: string, who: typeof caller) => void
    void Promise.resolve().then(() => notify(hook, key, caller))
  }
}
