import type { Decision } from '../check/decision.ts'
import { type Channel, openChannel } from './diagnostics.ts'
import type {
  DecisionMetadata,
  Hook,
  PenaltyStatus,
  QuotaUsage,
  StoreRecovery,
  Telemetry,
} from './telemetry.ts'

/** What the channel `halt:decision` publishes: every decision, exempt ones included. */
export interface DecisionMessage {
  /** Names a person: no label. */
  readonly key: string
  readonly decision: Decision
  readonly metadata: DecisionMetadata
}

/** What the channel `halt:store:error` publishes: every failure of a store. */
export interface StoreErrorMessage {
  readonly error: unknown
  /** `timeout`, `unavailable`, `misconfigured` or `script`. */
  readonly failure: string
  readonly store: string
}

/** What the channel `halt:store:recovered` publishes: the end of an outage. */
export type StoreRecoveredMessage = StoreRecovery

/** What the channel `halt:penalty` publishes: a violation that was scored, or a penalty that began. */
export interface PenaltyMessage {
  readonly event: 'violation' | 'applied'
  readonly key: string
  readonly penalty: PenaltyStatus
  /** Points that were added; 0 when a penalty began. */
  readonly severity: number
}

/** What the channel `halt:quota` publishes: a quota that was asked; one that refused or reached a threshold. */
export interface QuotaMessage {
  readonly event: 'check' | 'exceeded' | 'threshold'
  readonly key: string
  readonly quota: QuotaUsage
  readonly allowed: boolean
  /** The share of the limit that was just reached; undefined for the other events. */
  readonly threshold: number | undefined
}

/** The channels of Halt. */
export const channels: Readonly<
  Record<'decision' | 'storeError' | 'storeRecovered' | 'penalty' | 'quota', Channel>
> = {
  decision: openChannel('halt:decision'),
  storeError: openChannel('halt:store:error'),
  storeRecovered: openChannel('halt:store:recovered'),
  penalty: openChannel('halt:penalty'),
  quota: openChannel('halt:quota'),
}

type Channelled = Exclude<keyof Telemetry, 'onStore' | 'onAllowed' | 'onBlocked'>
type Publishers = { readonly [K in Channelled]: (...args: Parameters<Hook<K>>) => void }

/** Publishes what each hook is told, frozen, where somebody listens. */
export const publishers: Publishers = {
  onCheck: publishDecision,
  onExempt: publishDecision,
  onStoreError(error, { failure, store }) {
    if (!channels.storeError.hasSubscribers) return
    publish<StoreErrorMessage>(channels.storeError, { error, failure, store })
  },
  onStoreRecovered(recovery) {
    if (!channels.storeRecovered.hasSubscribers) return
    publish<StoreRecoveredMessage>(channels.storeRecovered, { ...recovery })
  },
  onViolation(key, penalty, severity) {
    if (!channels.penalty.hasSubscribers) return
    publish<PenaltyMessage>(channels.penalty, { event: 'violation', key, penalty, severity })
  },
  onPenaltyApplied(key, penalty) {
    if (!channels.penalty.hasSubscribers) return
    publish<PenaltyMessage>(channels.penalty, { event: 'applied', key, penalty, severity: 0 })
  },
  onQuotaCheck(key, quota, allowed) {
    if (!channels.quota.hasSubscribers) return
    publish<QuotaMessage>(channels.quota, { event: 'check', key, quota, allowed, threshold: undefined })
  },
  onQuotaExceeded(key, quota) {
    if (!channels.quota.hasSubscribers) return
    publish<QuotaMessage>(channels.quota, {
      event: 'exceeded',
      key,
      quota,
      allowed: false,
      threshold: undefined,
    })
  },
  onQuotaThreshold(key, quota, threshold) {
    if (!channels.quota.hasSubscribers) return
    publish<QuotaMessage>(channels.quota, { event: 'threshold', key, quota, allowed: true, threshold })
  },
}

function publishDecision(key: string, decision: Decision, metadata: DecisionMetadata): void {
  if (!channels.decision.hasSubscribers) return
  publish<DecisionMessage>(channels.decision, { key, decision, metadata })
}

function publish<M extends object>(channel: Channel, message: M): void {
  channel.publish(Object.freeze(message))
}
