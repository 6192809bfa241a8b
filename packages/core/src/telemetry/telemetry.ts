import type { Decision } from '../check/decision.ts'
import type { Store } from '../store/contract.ts'

/** What is known beside a decision. Labels only: nothing in it comes from the client. */
export interface DecisionMetadata {
  /** The binding policy. */
  readonly policy: string
  readonly algorithm: string
  readonly keyStrategy: string
  /** The matched route where the adapter knows it, else the method alone. */
  readonly endpoint: string
  readonly cost: number
  readonly plan: string | undefined
  readonly outcome: 'allowed' | 'blocked' | 'exempt' | 'shadow_blocked'
  readonly degraded: Decision['degraded']
  /** Milliseconds the decision took. */
  readonly durationMs: number
  readonly store: string
}

/** What a quota hook is told. */
export interface QuotaUsage {
  readonly name: string
  readonly used: number
  /** Of `limit` and what was granted. */
  readonly remaining: number
  /** The quota's own, without what was granted. */
  readonly limit: number
  /** Units that were granted beyond the limit, for the present period. */
  readonly granted: number
  /** Unix seconds. */
  readonly resetAt: number
}

/** What a penalty hook is told. */
export interface PenaltyStatus {
  readonly isActive: boolean
  /** Unix seconds; 0 when there is none. */
  readonly penaltyUntil: number
  readonly abuseScore: number
  readonly violations: number
  /** Unix seconds; 0 when there was none. */
  readonly lastViolation: number
}

/** What is told when a store answers again. */
export interface StoreRecovery {
  readonly store: string
  /** How many calls failed. */
  readonly failures: number
  /** Milliseconds from the first failure. */
  readonly lastedMs: number
}

/** What telemetry sees of a store: its `kind`, and its `size` where it knows. */
export type ObservedStore = Pick<Store, 'kind' | 'size'>

/**
 * Hooks that watch a limiter. All are optional; none can break, change or delay a decision: what they throw or reject is
 * warned of once, and a promise is not awaited.
 */
export interface Telemetry {
  /** A limiter was made: its store, so that one can ask how many counters it holds. */
  onStore?(store: ObservedStore): unknown
  onCheck?(key: string, decision: Decision, metadata: DecisionMetadata): unknown
  onAllowed?(key: string, decision: Decision, metadata: DecisionMetadata): unknown
  onBlocked?(key: string, decision: Decision, metadata: DecisionMetadata): unknown
  onExempt?(key: string, decision: Decision, metadata: DecisionMetadata): unknown
  onQuotaCheck?(key: string, quota: QuotaUsage, allowed: boolean): unknown
  /** A quota refused. */
  onQuotaExceeded?(key: string, quota: QuotaUsage): unknown
  /** A share of a quota (0.8, 1) was reached for the first time in the period; of several at once, the highest. */
  onQuotaThreshold?(key: string, quota: QuotaUsage, threshold: number): unknown
  onViolation?(key: string, penalty: PenaltyStatus, severity: number): unknown
  onPenaltyApplied?(key: string, penalty: PenaltyStatus): unknown
  onStoreError?(error: unknown, detail: { readonly failure: string; readonly store: string }): unknown
  /** A store that had failed answers again: the outage is over. Told once for each outage that was warned of. */
  onStoreRecovered?(recovery: StoreRecovery): unknown
}

/** One of the hooks. */
export type Hook<K extends keyof Telemetry> = NonNullable<Telemetry[K]>

/** Calls a hook so that nothing it does comes back. */
export type Notify = <K extends keyof Telemetry>(hook: K, ...args: Parameters<Hook<K>>) => void
