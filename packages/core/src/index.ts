export type { CompiledPolicy } from './compiled-policy.ts'
export type { AnyPolicy } from './compiled-policy.ts'
export type { Cost } from './cost.ts'
export type { Decision, DecisionFields, PolicyVerdict, Reason } from './decision.ts'
export type { Duration } from './duration.ts'
export {
  HaltError,
  type HaltErrorCode,
  type HaltWarning,
  type HaltWarningCode,
  silence,
  type Warn,
  warnOnce,
} from './errors.ts'
export type { CounterReading } from './counter-reading.ts'
export type { Explanation, PolicyExplanation } from './explanation.ts'
export type { Unreached } from './reachability.ts'
export type { CheckOptions, PeekOptions } from './check-options.ts'
export { RateLimiter, type Reservation } from './limiter.ts'
export type { RateLimiterOptions } from './options.ts'
export type { LimiterPenalty, PenaltyConfig } from './penalty-config.ts'
export {
  Algorithm,
  definePolicy,
  KeyStrategy,
  QuotaPeriod,
  type Awaitable,
  type ConcurrencyPolicy,
  type OnStoreError,
  type Overrides,
  type Policy,
  type PolicyBase,
  type PolicyMode,
  type PolicyResolver,
  type Quota,
  type RatePolicy,
} from './policy.ts'
export * from './presets.ts'
export { presets } from './preset-list.ts'
export { addressKey } from './request/address-key.ts'
export type { Hop, TrustedProxies } from './request/client-ip.ts'
export type { Identity } from './request/identity.ts'
export type { HeaderBag } from './request/headers.ts'
export type { RequestView } from './request/view.ts'
export type {
  DecisionMetadata,
  ObservedStore,
  PenaltyStatus,
  QuotaUsage,
  StoreRecovery,
  Telemetry,
} from './telemetry.ts'
export type {
  DecisionMessage,
  PenaltyMessage,
  QuotaMessage,
  StoreErrorMessage,
  StoreRecoveredMessage,
} from './channels.ts'
export { fromCaller } from './call-site.ts'
export { cachedPolicy, type CachedPolicyOptions } from './cached-policy.ts'
export { llmBudget, llmCost, type LlmBudgetOptions } from './llm-budget.ts'
export { PenaltyManager, type PenaltyManagerOptions } from './penalty.ts'
export {
  type GrantCall,
  QuotaManager,
  type QuotaCall,
  type QuotaManagerOptions,
  type QuotaResult,
  type QuotaStatus,
} from './quota.ts'
export { PolicyRegistry } from './registry.ts'
export type { HeavyKey } from './heavy-keys.ts'
export type { ShadowFinding, ShadowReport } from './shadow-report.ts'
export { ShadowSurvey, type ShadowSurveyOptions } from './shadow-survey.ts'
export { CompositeTelemetry } from './telemetry-composite.ts'
export { LabelSet } from './telemetry-labels.ts'
export { LoggingTelemetry, type Logger, type LoggingOptions } from './telemetry-log.ts'
export { MetricsTelemetry, type MetricsClient } from './telemetry-metrics.ts'
export { ObservedStores } from './telemetry-stores.ts'
