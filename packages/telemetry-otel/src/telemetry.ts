import {
  type CallerTurn,
  type Decision,
  type DecisionMetadata,
  fromCaller,
  type LeavingCaller,
  type ObservedStore,
  ObservedStores,
  OnceASecond,
  type PolicyVerdict,
  type QuotaUsage,
  type StoreRecovery,
  type Telemetry,
  type WaitingCaller,
} from '@halt/core'
import { metrics } from '@opentelemetry/api'

import { Instruments } from './instruments.ts'
import { Labels } from './labels.ts'
import { type CheckedOptions, checkOptions, type OtelTelemetryOptions } from './options.ts'
import { noteDecision, noteStoreError } from './span-events.ts'

/**
 * Counts the decisions of limiters as OpenTelemetry metrics, and adds events for refusals to the active span. Attributes are
 * policies, algorithms, outcomes and stores, never keys. Their number is bounded, however many policies there are.
 *
 * @throws HaltError `HALT_E_OPTION`
 * @example
 * const limiter = new RateLimiter({ store, policy, telemetry: new OtelTelemetry() })
 */
export class OtelTelemetry implements Telemetry {
  readonly #options: CheckedOptions
  readonly #labels: Labels
  readonly #stores = new ObservedStores()
  readonly #scarceSeconds = new OnceASecond()
  #instruments: Instruments | undefined

  constructor(options: OtelTelemetryOptions = {}) {
    this.#options = fromCaller(OtelTelemetry, () => checkOptions(options))
    this.#labels = fromCaller(OtelTelemetry, () => new Labels(this.#options.maxPolicies))
  }

  onStore(store: ObservedStore): void {
    this.#stores.add(store)
  }

  onCheck(_key: string, decision: Decision, metadata: DecisionMetadata): void {
    const { allowed, reason, verdicts } = decision
    const { checks, blocked, degraded, duration } = this.#meter()
    const policy = this.#labels.policy(metadata.policy)
    const store = this.#labels.store(metadata.store)
    checks.add(1, {
      'halt.policy': policy,
      'halt.algorithm': metadata.algorithm,
      'halt.outcome': metadata.outcome,
      'halt.store': store,
    })
    duration.record(metadata.durationMs / 1000, { 'halt.store': store })
    if (!allowed) blocked.add(1, { 'halt.policy': policy, 'halt.reason': reason })
    if (metadata.degraded !== false)
      degraded.add(1, { 'halt.policy': policy, 'halt.mode': metadata.degraded })
    for (const verdict of verdicts) this.#countVerdict(verdict, allowed)
    const { spanEvents } = this.#options
    const noteworthy = metadata.outcome !== 'allowed' || metadata.degraded !== false
    if (spanEvents === 'all' || (spanEvents === 'refusals' && noteworthy))
      noteDecision(decision, metadata, policy)
  }

  onExempt(_key: string, _decision: Decision, { policy }: DecisionMetadata): void {
    this.#meter().exempt.add(1, { 'halt.policy': this.#labels.policy(policy) })
  }

  onWaiting(_key: string, { policy }: WaitingCaller): void {
    this.#meter().waiting.add(1, { 'halt.policy': this.#labels.policy(policy) })
  }

  onTurn(_key: string, { policy, waitedMs }: CallerTurn): void {
    const labels = { 'halt.policy': this.#labels.policy(policy) }
    this.#meter().waiting.add(-1, labels)
    this.#meter().wait.record(waitedMs / 1000, labels)
  }

  onLeave(_key: string, { policy, why }: LeavingCaller): void {
    const labels = { 'halt.policy': this.#labels.policy(policy) }
    this.#meter().waiting.add(-1, labels)
    this.#meter().left.add(1, { ...labels, 'halt.why': why })
  }

  onQuotaCheck(_key: string, { name }: QuotaUsage, allowed: boolean): void {
    this.#meter().quotaChecks.add(1, {
      'halt.policy': this.#labels.policy(name),
      'halt.outcome': allowed ? 'allowed' : 'blocked',
    })
  }

  onQuotaThreshold(_key: string, { name }: QuotaUsage, threshold: number): void {
    // Rounded to a hundredth, because thresholds may be made at run time too.
    const share = Math.round(threshold * 100) / 100
    this.#meter().quotaThresholds.add(1, {
      'halt.policy': this.#labels.policy(name),
      'halt.threshold': share,
    })
  }

  onViolation(): void {
    this.#meter().violations.add(1)
  }

  onPenaltyApplied(): void {
    this.#meter().penalties.add(1)
  }

  onStoreError(
    _error: unknown,
    { store, failure }: { readonly store: string; readonly failure: string },
  ): void {
    const label = this.#labels.store(store)
    this.#meter().storeErrors.add(1, { 'halt.store': label, 'error.type': failure })
    if (this.#options.spanEvents !== false) noteStoreError(label, failure)
  }

  onStoreRecovered({ store }: StoreRecovery): void {
    this.#meter().storeRecoveries.add(1, { 'halt.store': this.#labels.store(store) })
  }

  #countVerdict({ policy, mode, allowed, reason, remaining, limit }: PolicyVerdict, admitted: boolean): void {
    const instruments = this.#meter()
    const label = this.#labels.policy(policy)
    if (mode === 'shadow') {
      const outcome = allowed ? 'allowed' : 'blocked'
      instruments.shadow.add(1, { 'halt.policy': label, 'halt.outcome': outcome })
      return
    }
    instruments.remaining.set(label, remaining)
    if (reason === 'fair-share' && this.#scarceSeconds.isFirst(label))
      instruments.scarce.add(1, { 'halt.policy': label })
    if (admitted && remaining <= limit * this.#options.nearLimit)
      instruments.nearLimit.add(1, { 'halt.policy': label })
  }

  // Made at the first check, because before the SDK starts the global provider returns a meter that never counts.
  #meter(): Instruments {
    const made = this.#instruments
    if (made !== undefined) return made
    const meter = (this.#options.meterProvider ?? metrics).getMeter('@halt/telemetry-otel')
    return (this.#instruments = new Instruments(meter, this.#stores, kind => this.#labels.store(kind)))
  }
}
