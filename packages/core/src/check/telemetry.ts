import type { Decision } from './decision.ts'
import type { Reason } from './verdict-reader.ts'
import type { Store, StoreFailure } from '../store/contract.ts'

/** Facts about a decision, for labels. None of them comes from the client. */
export interface DecisionMetadata {
  /** The binding policy. */
  readonly policy: string
  readonly algorithm: string
  readonly keyStrategy: string
  /** The method and the matched route, or the method alone when the adapter does not know the route. */
  readonly endpoint: string
  readonly cost: number
  readonly plan: string | undefined
  readonly outcome: 'allowed' | 'blocked' | 'exempt' | 'shadow_blocked'
  readonly degraded: Decision['degraded']
  /** How long the decision took, in milliseconds. */
  readonly durationMs: number
  readonly store: string
}

/** The state of a quota, for hooks. */
export interface QuotaUsage {
  readonly name: string
  readonly used: number
  /** Units that calls hold and have not used yet. */
  readonly held: number
  /** Units left of `limit` and `granted` together, without those that calls hold. */
  readonly remaining: number
  /** The quota's own limit, without grants. */
  readonly limit: number
  /** Units granted on top of the limit, in the current period. */
  readonly granted: number
  /** Unix seconds. */
  readonly resetAt: number
}

/** The state of a penalty, for hooks. */
export interface PenaltyStatus {
  readonly isActive: boolean
  /** Unix seconds; 0 when there is none. */
  readonly penaltyUntil: number
  readonly abuseScore: number
  readonly violations: number
  /** Unix seconds; 0 when there was none. */
  readonly lastViolation: number
}

/** The end of a store's outage. */
export interface StoreRecovery {
  readonly store: string
  /** How many calls failed during the outage. */
  readonly failures: number
  /** Milliseconds since the first failure. */
  readonly lastedMs: number
}

/** A caller that waits for its turn. */
export interface WaitingCaller {
  /** The policy that made it wait. */
  readonly policy: string
  /** The units that it asks for. */
  readonly units: number
  /**
   * Milliseconds until its turn if nothing changes. Undefined if nobody knows: such a caller asks again later, or stands behind one that
   * does.
   */
  readonly startsInMs: number | undefined
}

/** A caller that has waited, and whose turn has come. */
export interface CallerTurn extends Pick<WaitingCaller, 'policy' | 'units'> {
  /** How long it has waited, in whole milliseconds. */
  readonly waitedMs: number
}

/** A caller that has waited, and leaves without a turn. */
export interface LeavingCaller extends CallerTurn {
  /**
   * Why: its signal was aborted, the limiter was closed, an error ended the call, or it was refused after all, for the reason of its
   * decision.
   */
  readonly why: Reason | 'aborted' | 'closed' | 'failed'
}

/** The part of a store that telemetry sees: its `kind`, and its `size` if it knows that. */
export type ObservedStore = Pick<Store, 'kind' | 'size'>

/**
 * Hooks that observe a limiter. All are optional. No hook can break, change or delay a decision: an error of a hook becomes one
 * warning, and the limiter does not wait for a promise.
 */
export interface Telemetry {
  /** A limiter was made. The hook gets its store, so that it can read how many counters the store holds. */
  onStore?(store: ObservedStore): unknown
  /** A request was decided, by policies that count it. Called before the next two. `key` is personal data. */
  onCheck?(key: string, decision: Decision, metadata: DecisionMetadata): unknown
  /** A request was allowed. */
  onAllowed?(key: string, decision: Decision, metadata: DecisionMetadata): unknown
  /** A request was refused. `decision.reason` says why. */
  onBlocked?(key: string, decision: Decision, metadata: DecisionMetadata): unknown
  /** A request was not counted: by an exemption, or because an operator lets the client pass. */
  onExempt?(key: string, decision: Decision, metadata: DecisionMetadata): unknown
  /**
   * A caller begins to wait for its turn. Every such caller ends with one of the next two hooks. `key` is that of its decision, or of
   * the first policy if others ask before it. Called soon after the event, so that a hook may call the limiter.
   */
  onWaiting?(key: string, caller: WaitingCaller): unknown
  /** The turn of a caller that has waited has come. */
  onTurn?(key: string, caller: CallerTurn): unknown
  /** A caller that has waited leaves without a turn. */
  onLeave?(key: string, caller: LeavingCaller): unknown
  /** A quota was asked. */
  onQuotaCheck?(key: string, quota: QuotaUsage, allowed: boolean): unknown
  /** A quota refused a request, and not only because calls that run hold the rest. */
  onQuotaExceeded?(key: string, quota: QuotaUsage): unknown
  /**
   * A share of a quota (0.8, 1) is used, by whatever way: a charge, a settlement, a payment of a call, a write-back after an outage.
   * Units that calls hold are not used yet. Called once in a period over all processes; again for a limit that a grant has changed,
   * and after a reset. If several were reached at once, the highest.
   */
  onQuotaThreshold?(key: string, quota: QuotaUsage, threshold: number): unknown
  /** A client was given points: `severity` of them. */
  onViolation?(key: string, penalty: PenaltyStatus, severity: number): unknown
  /** A client's penalty began. */
  onPenaltyApplied?(key: string, penalty: PenaltyStatus): unknown
  /** A call of the store failed. Requests are still decided, as `onStoreError` of the policy says. */
  onStoreError?(error: unknown, detail: { readonly failure: StoreFailure; readonly store: string }): unknown
  /** A store that had failed answers again. Called once for each outage, for at most five outages per minute. */
  onStoreRecovered?(recovery: StoreRecovery): unknown
}

/** The type of one hook. */
export type Hook<K extends keyof Telemetry> = NonNullable<Telemetry[K]>

/** Calls a hook. Neither its result nor its errors reach the caller. */
export type Notify = <K extends keyof Telemetry>(hook: K, ...args: Parameters<Hook<K>>) => void
