export type { Closable, DrainableServer, DrainOptions, DrainReport } from '@halt/core/http'

export { drain } from './drain.ts'
export {
  InjectRateLimiter,
  RateLimit,
  RateLimitCost,
  RateLimitDecision,
  type RateLimitOptions,
  SkipRateLimit,
} from './decorators/decorators.ts'
export { RateLimitException, type RefusalStyle } from './refusal/exception.ts'
export { HaltGuard } from './guard/guard.ts'
export { HaltInterceptor } from './guard/interceptor.ts'
export { type HaltFeatureOptions, HaltModule } from './module/module.ts'
export type {
  GuardSettings,
  HaltModuleAsyncOptions,
  HaltModuleOptions,
  HaltOptionsFactory,
  HandlerResult,
  NestLimiterOptions,
} from './options/options.ts'
export type {
  ContextCallback,
  NestCost,
  NestPolicies,
  NestPolicy,
  NestPolicyResolver,
  NestRequest,
} from './options/policy.ts'
export { sendLimited } from './refusal/send-limited.ts'
export { ApiRateLimited, type ApiRateLimitedOptions } from './decorators/swagger.ts'
export { getRateLimiterToken } from './base/tokens.ts'
export { usage } from './usage.ts'
