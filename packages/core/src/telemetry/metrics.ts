import { fromCaller } from '../base/warnings.ts'
import type { Hook, Telemetry } from '../check/telemetry.ts'
import { LabelSet } from './labels.ts'
import { isStrayPromise } from '../base/promises.ts'
import { checkMethods, checkNames } from '../base/options-check.ts'

/** A metrics client with these three methods, such as StatsD or Datadog. */
export interface MetricsClient {
  increment(name: string, value: number, tags: Readonly<Record<string, string>>): void
  gauge(name: string, value: number, tags: Readonly<Record<string, string>>): void
  histogram(name: string, value: number, tags: Readonly<Record<string, string>>): void
}

/**
 * Counts the decisions of a limiter: `halt.checks.total`, `halt.checks.degraded`, `halt.requests.allowed`, `halt.requests.blocked`,
 * `halt.requests.exempt`, `halt.line.*`, `halt.remaining`, `halt.check.duration_ms`, `halt.quota.*`, `halt.violations.*`,
 * `halt.penalties.*`, `halt.store.errors`, `halt.store.recoveries`. Tags are policies, algorithms and outcomes, never keys.
 * Their number is bounded, however many policies there are.
 */
export class MetricsTelemetry implements Telemetry {
  // A client may return promises. Each hook returns the last one, so that its failure is reported. The others fail alike.
  readonly #client: MetricsClient
  readonly #names: LabelSet
  // By the name of the policy.
  readonly #waiting = new Map<string, number>()

  /**
   * @param options `maxPolicies`: how many policies get a tag of their own; all others share `"other"`. Default 100
   * @throws HaltError `HALT_E_OPTION`, `HALT_E_UNKNOWN_FIELD`
   */
  constructor(client: MetricsClient, options: { maxPolicies?: number | undefined } = {}) {
    this.#client = client
    this.#names = fromCaller(MetricsTelemetry, () => {
      checkMethods(client, ['increment', 'gauge', 'histogram'], 'MetricsTelemetry')
      checkNames(options, ['maxPolicies'], 'MetricsTelemetry')
      return new LabelSet(options.maxPolicies)
    })
  }

  onCheck: Hook<'onCheck'> = (_key, decision, metadata) => {
    const { algorithm, outcome, store, durationMs, degraded } = metadata
    const policy = this.#names.of(metadata.policy)
    const tags = { policy, algorithm, outcome, store }
    isStrayPromise(this.#client.increment('halt.checks.total', 1, tags))
    isStrayPromise(this.#client.histogram('halt.check.duration_ms', durationMs, { store }))
    if (degraded !== false)
      isStrayPromise(this.#client.increment('halt.checks.degraded', 1, { policy, mode: degraded }))
    return this.#client.gauge('halt.remaining', decision.remaining, { policy })
  }

  onAllowed: Hook<'onAllowed'> = (_key, _decision, { policy }) =>
    this.#client.increment('halt.requests.allowed', 1, { policy: this.#names.of(policy) })

  onBlocked: Hook<'onBlocked'> = (_key, { reason }, { policy }) =>
    this.#client.increment('halt.requests.blocked', 1, { policy: this.#names.of(policy), reason })

  onExempt: Hook<'onExempt'> = (_key, _decision, { policy }) =>
    this.#client.increment('halt.requests.exempt', 1, { policy: this.#names.of(policy) })

  onWaiting: Hook<'onWaiting'> = (_key, { policy }) => this.#waits(policy, 1)

  onTurn: Hook<'onTurn'> = (_key, { policy, waitedMs }) => {
    const tags = { policy: this.#names.of(policy) }
    isStrayPromise(this.#client.histogram('halt.line.wait_ms', waitedMs, tags))
    return this.#waits(policy, -1)
  }

  onLeave: Hook<'onLeave'> = (_key, { policy, why }) => {
    isStrayPromise(this.#client.increment('halt.line.left', 1, { policy: this.#names.of(policy), why }))
    return this.#waits(policy, -1)
  }

  onQuotaCheck: Hook<'onQuotaCheck'> = (_key, { name, remaining }, allowed) => {
    const quota = this.#names.of(name)
    isStrayPromise(this.#client.increment('halt.quota.checks', 1, { quota, allowed: String(allowed) }))
    return this.#client.gauge('halt.quota.remaining', remaining, { quota })
  }

  onQuotaExceeded: Hook<'onQuotaExceeded'> = (_key, { name }) =>
    this.#client.increment('halt.quota.exceeded', 1, { quota: this.#names.of(name) })

  onQuotaThreshold: Hook<'onQuotaThreshold'> = (_key, { name }, threshold) =>
    this.#client.increment('halt.quota.thresholds', 1, {
      quota: this.#names.of(name),
      threshold: String(threshold),
    })

  onViolation: Hook<'onViolation'> = (_key, { abuseScore }, severity) => {
    isStrayPromise(this.#client.increment('halt.violations.total', 1, {}))
    isStrayPromise(this.#client.histogram('halt.violations.severity', severity, {}))
    return this.#client.histogram('halt.penalties.abuse_score', abuseScore, {})
  }

  onPenaltyApplied: Hook<'onPenaltyApplied'> = () => this.#client.increment('halt.penalties.applied', 1, {})

  onStoreError: Hook<'onStoreError'> = (_error, { failure, store }) =>
    this.#client.increment('halt.store.errors', 1, { failure, store })

  onStoreRecovered: Hook<'onStoreRecovered'> = ({ store }) =>
    this.#client.increment('halt.store.recoveries', 1, { store })

  #waits(policy: string, more: 1 | -1): void {
    const name = this.#names.of(policy)
    const callers = (this.#waiting.get(name) ?? 0) + more
    this.#waiting.set(name, callers)
    return this.#client.gauge('halt.line.waiting', callers, { policy: name })
  }
}
