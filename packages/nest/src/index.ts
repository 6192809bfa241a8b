export {
  InjectRateLimiter,
  RateLimit,
  RateLimitCost,
  RateLimitDecision,
  type RateLimitOptions,
  SkipRateLimit,
} from './decorators.ts'
export { RateLimitException, type RefusalStyle } from './exception.ts'
export { HaltGuard } from './guard.ts'
export { HaltInterceptor } from './interceptor.ts'
export { type HaltFeatureOptions, HaltModule } from './module.ts'
export type {
  GuardSettings,
  HaltModuleAsyncOptions,
  HaltModuleOptions,
  HaltOptionsFactory,
  HandlerResult,
  NestLimiterOptions,
} from './options.ts'
export type {
  ContextCallback,
  NestCost,
  NestPolicies,
  NestPolicy,
  NestPolicyResolver,
  NestRequest,
} from './policy.ts'
export { sendLimited } from './send-limited.ts'
export { ApiRateLimited, type ApiRateLimitedOptions } from './swagger.ts'
export { getRateLimiterToken } from './tokens.ts'
