export { limitedFetch, type Fetch, type LimitedFetchOptions } from './limited-fetch.ts'
export { parseRateLimit, type Answer, type PolicyReport, type RateLimitReport } from './parse-rate-limit.ts'
export type { CallOptions, RetryOptions } from './options.ts'
export type { OutgoingCall } from './outgoing-call.ts'
