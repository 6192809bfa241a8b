import type { Decision } from '../check/decision.ts'
import type {
  CallerTurn,
  DecisionMetadata,
  Hook,
  LeavingCaller,
  PenaltyStatus,
  QuotaUsage,
  StoreRecovery,
  Telemetry,
  WaitingCaller,
} from '../check/telemetry.ts'
import type { StoreFailure } from '../store/contract.ts'

/** The used part of a named channel of Node's `diagnostics_channel`. */
export interface Channel {
  readonly hasSubscribers: boolean
  publish(message: unknown): void
}

interface Host {
  process?: { getBuiltinModule?: (name: string) => { channel(name: string): Channel } | undefined }
}

const SILENT: Channel = Object.freeze({ hasSubscribers: false, publish() {} })

/**
 * Opens a channel of the runtime, so that all copies of this package share it. In runtimes without `diagnostics_channel`
 * (browsers, some edge runtimes) the channel is silent. Imports nothing.
 */
export function openChannel(name: string): Channel {
  try {
    const { process } = globalThis as Host
    // Without the prefix `node:`, which bundlers for other runtimes would try to resolve.
    return process?.getBuiltinModule?.('diagnostics_channel')?.channel(name) ?? SILENT
  } catch {
    return SILENT
  }
}

/**
 * Tells the first time in each second that something of a name happens, so that a counter counts seconds. Give it names of a bounded
 * set, such as those of a {@link LabelSet}.
 */
export class OnceASecond {
  readonly #last = new Map<string, number>()

  /** Whether it is the first time in the present second. */
  isFirst(name: string): boolean {
    const second = Math.floor(Date.now() / 1000)
    if (this.#last.get(name) === second) return false
    this.#last.set(name, second)
    return true
  }
}

/** The message of the channel `halt:decision`: a decision, exempt ones included. */
export interface DecisionMessage {
  /** Personal data. Do not use it as a label. */
  readonly key: string
  readonly decision: Decision
  readonly metadata: DecisionMetadata
}

/** The message of the channel `halt:store:error`: a failure of a store. */
export interface StoreErrorMessage {
  readonly error: unknown
  /** `timeout`, `unavailable`, `full`, `misconfigured` or `script`. */
  readonly failure: StoreFailure
  readonly store: string
}

/** The message of the channel `halt:store:recovered`: the end of an outage. */
export type StoreRecoveredMessage = StoreRecovery

/** The message of the channel `halt:penalty`: a violation was scored, or a penalty began. */
export interface PenaltyMessage {
  readonly event: 'violation' | 'applied'
  readonly key: string
  readonly penalty: PenaltyStatus
  /** Points added by the violation; 0 when a penalty began. */
  readonly severity: number
}

/** The message of the channel `halt:quota`: a quota was checked, refused, or reached a threshold. */
export interface QuotaMessage {
  readonly event: 'check' | 'exceeded' | 'threshold'
  readonly key: string
  readonly quota: QuotaUsage
  readonly allowed: boolean
  /** The share of the limit that was just reached; undefined for the other events. */
  readonly threshold: number | undefined
}

/** The message of the channel `halt:line`: a caller began to wait, its turn came, or it left without a turn. */
export type LineMessage = { readonly key: string } & (
  | ({ readonly event: 'waiting' } & WaitingCaller)
  | ({ readonly event: 'turn' } & CallerTurn)
  | ({ readonly event: 'leave' } & LeavingCaller)
)

/** The channels of Halt. */
export const channels: Readonly<
  Record<'decision' | 'storeError' | 'storeRecovered' | 'penalty' | 'quota' | 'line', Channel>
> = {
  decision: openChannel('halt:decision'),
  storeError: openChannel('halt:store:error'),
  storeRecovered: openChannel('halt:store:recovered'),
  penalty: openChannel('halt:penalty'),
  quota: openChannel('halt:quota'),
  line: openChannel('halt:line'),
}

type Channelled = Exclude<keyof Telemetry, 'onStore' | 'onAllowed' | 'onBlocked'>
type Publishers = { readonly [K in Channelled]: (...args: Parameters<Hook<K>>) => void }

/** By hook: publishes its arguments as a frozen message, if the channel has subscribers. */
export const publishers: Publishers = {
  onCheck: publishDecision,
  onExempt: publishDecision,
  onStoreError: (error, { failure, store }) =>
    publish<StoreErrorMessage>(channels.storeError, () => ({ error, failure, store })),
  onStoreRecovered: recovery =>
    publish<StoreRecoveredMessage>(channels.storeRecovered, () => ({ ...recovery })),
  onWaiting: (key, caller) =>
    publish<LineMessage>(channels.line, () => ({ event: 'waiting', key, ...caller })),
  onTurn: (key, caller) => publish<LineMessage>(channels.line, () => ({ event: 'turn', key, ...caller })),
  onLeave: (key, caller) => publish<LineMessage>(channels.line, () => ({ event: 'leave', key, ...caller })),
  onViolation: (key, penalty, severity) =>
    publish<PenaltyMessage>(channels.penalty, () => ({ event: 'violation', key, penalty, severity })),
  onPenaltyApplied: (key, penalty) =>
    publish<PenaltyMessage>(channels.penalty, () => ({ event: 'applied', key, penalty, severity: 0 })),
  onQuotaCheck: (key, quota, allowed) => publishQuota('check', key, quota, allowed),
  onQuotaExceeded: (key, quota) => publishQuota('exceeded', key, quota, false),
  onQuotaThreshold: (key, quota, threshold) => publishQuota('threshold', key, quota, true, threshold),
}

// This and the next run in checks, so they make no closure.
function publishQuota(
  event: QuotaMessage['event'],
  key: string,
  quota: QuotaUsage,
  allowed: boolean,
  threshold?: number,
): void {
  if (channels.quota.hasSubscribers)
    channels.quota.publish(Object.freeze<QuotaMessage>({ event, key, quota, allowed, threshold }))
}

function publishDecision(key: string, decision: Decision, metadata: DecisionMetadata): void {
  if (channels.decision.hasSubscribers)
    channels.decision.publish(Object.freeze<DecisionMessage>({ key, decision, metadata }))
}

function publish<M extends object>(channel: Channel, message: () => M): void {
  if (channel.hasSubscribers) channel.publish(Object.freeze(message()))
}
