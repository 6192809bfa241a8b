export type { CompiledPolicy } from './compiled-policy.ts'
export type { AnyPolicy } from './compiled-policy.ts'
export type { Cost } from './cost.ts'
export type { Decision, DecisionFields, PolicyVerdict, Reason } from './decision.ts'
export type { Duration } from './duration.ts'
export { HaltError, type HaltErrorCode, type HaltWarning, type HaltWarningCode, type Warn } from './errors.ts'
export type { Explanation, PolicyExplanation } from './explanation.ts'
export { RateLimiter, type CheckOptions, type Reservation } from './limiter.ts'
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
  type Policy,
  type PolicyBase,
  type PolicyMode,
  type PolicyResolver,
  type Quota,
  type RatePolicy,
} from './policy.ts'
export * from './presets.ts'
export * as presets from './presets.ts'
export type { Hop, TrustedProxies } from './request/client-ip.ts'
export type { Identity } from './request/identity.ts'
export type { HeaderBag, RequestView } from './request/view.ts'
export type { DecisionMetadata, PenaltyStatus, QuotaUsage, Telemetry } from './telemetry.ts'
