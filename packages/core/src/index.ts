// Deciding requests
export { RateLimiter } from './rate-limiter/rate-limiter.ts'
export type { CloseOptions, RateLimiterOptions } from './limiter/options.ts'
export type { Limiter } from './limiter/limiter.ts'
export type { Store } from './store/contract.ts'
export type { Reservation, ReserveOptions } from './reserve/reserve-options.ts'
export type { CheckOptions, PeekOptions } from './check/check-options.ts'
export type { AbortSignalLike, AcquireOptions } from './waiting/acquire-options.ts'
export type { LineStatus } from './waiting/lines.ts'
export { isLimited, type LimitedError } from './waiting/limited-error.ts'
export type { Decision, DecisionFields } from './check/decision.ts'
export type { PolicyVerdict, Reason } from './check/verdict-reader.ts'
export type { FairShare } from './inspect/fair-share.ts'
export type { Explanation, PolicyExplanation } from './inspect/explanation.ts'
export type { CounterReading } from './inspect/counter-reading.ts'
export { lastChargedPlan, type PlanReading } from './inspect/last-plan.ts'

// Policies
export {
  Algorithm,
  QuotaPeriod,
  type ConcurrencyPolicy,
  type Headroom,
  type Lease,
  type OnStoreError,
  type Policy,
  type PolicyBase,
  type PolicyMode,
  type PolicyResolver,
  type Quota,
  type RatePolicy,
} from './policy/policy.ts'
export type { CompiledPolicy } from './policy/compiled-policy.ts'
export type { Awaitable } from './base/promises.ts'
export type { Cost } from './policy/cost.ts'
export type { Fair } from './policy/fair.ts'
export type { Duration } from './base/duration.ts'
export type { Unreached } from './policy/reachability.ts'
export { definePolicy, type Overrides } from './presets/define-policy.ts'
export { presets, type Presets } from './presets/preset-list.ts'
export type { Preset, QuotaPreset } from './presets/preset.ts'
export * from './presets/presets.ts'
export { type CachedPolicy, cachedPolicy, type CachedPolicyOptions } from './presets/cached-policy.ts'
export { llmBudget, llmCost, type LlmBudgetOptions, type LlmUse } from './presets/llm-budget.ts'
export { priceOf, type TokenUsage, usd } from './presets/price.ts'
export { PolicyRegistry } from './presets/policy-registry.ts'

// Clients and requests
export { type IdDigest, type Identity, KeyStrategy } from './request/identity.ts'
export type { RequestView } from './request/view.ts'
export type { HeaderBag, ClientIpHeader } from './request/headers.ts'
export type { ProxyName, TrustedProxies } from './request/trusted-proxies.ts'
export type { Hop } from './request/client-ip.ts'
export { addressKey } from './request/address.ts'

// Quotas and penalties by hand
export {
  type GrantCall,
  type QuotaCall,
  QuotaManager,
  type QuotaManagerOptions,
  type QuotaResult,
  type QuotaStatus,
} from './managers/quota-manager.ts'
export { PenaltyManager, type PenaltyManagerOptions } from './managers/penalty-manager.ts'
export type { LimiterPenalty, PenaltyConfig } from './policy/penalty-config.ts'

// Errors and warnings
export { HaltError, type HaltErrorCode } from './base/errors.ts'
export {
  type HaltWarning,
  type HaltWarningCode,
  silence,
  type Warn,
  warnOnce,
  fromCaller,
} from './base/warnings.ts'

// Telemetry
export type {
  CallerTurn,
  DecisionMetadata,
  LeavingCaller,
  ObservedStore,
  PenaltyStatus,
  QuotaUsage,
  StoreRecovery,
  Telemetry,
  WaitingCaller,
} from './check/telemetry.ts'
export {
  type DecisionMessage,
  type LineMessage,
  type PenaltyMessage,
  type QuotaMessage,
  type StoreErrorMessage,
  type StoreRecoveredMessage,
  OnceASecond,
} from './telemetry/channels.ts'
export { LoggingTelemetry, type Logger, type LoggingOptions } from './telemetry/logging.ts'
export { MetricsTelemetry, type MetricsClient } from './telemetry/metrics.ts'
export { CompositeTelemetry, ObservedStores } from './telemetry/composite.ts'
export { LabelSet } from './telemetry/labels.ts'
export { ShadowSurvey, type ShadowSurveyOptions } from './telemetry/shadow/survey.ts'
export type { ShadowFinding, ShadowReport } from './telemetry/shadow/report.ts'
export type { HeavyKey } from './telemetry/heavy-keys.ts'
