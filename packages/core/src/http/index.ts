export { runCallback, answerIfUnanswered, type CallResult, type CallbackSettings } from './callback.ts'
export { callAtOnce } from '../base/callbacks.ts'
export { fromCaller, warnOnce } from '../base/warnings.ts'
export { atOnce, isStrayPromise } from '../base/promises.ts'
export { contextUser, routeOfContext } from '../request/to-view.ts'
export { continues, hasDeparted, pathOf, type RequestView } from '../request/view.ts'
export { readHeader, type HeaderBag } from '../request/headers.ts'
export { type MatchedRoute, NO_ROUTE } from '../request/route.ts'
export { matchedRoute } from '../request/route.ts'
export { toView } from '../request/to-view.ts'
export { HaltError, messageOf, describe } from '../base/errors.ts'
export { parseDuration } from '../base/duration.ts'
export { checkNames, namesOf } from '../base/options-check.ts'
export { readGivenCost } from '../policy/cost.ts'
export { isPromise } from '../base/promises.ts'
export { LimitedError } from '../waiting/limited-error.ts'
export { readMaxWait } from '../waiting/acquire-options.ts'
export { LIMITER_OPTIONS, type LimiterSettings, type RateLimiterOptions } from '../limiter/options.ts'
export {
  watchResponse,
  type NodeResponse,
  onResponseDecision,
  type DecidingResponse,
} from './watch-response.ts'
export { type FetchExchange, watchFetch } from './fetch-exchange.ts'
export { addHeaders, applyHeaders, type HeaderPort, tellHeaders, type Outcome } from './outcome.ts'
export { guard, type Guard } from './guard.ts'
export {
  type AnswerOptions,
  checkGuardOptions,
  type GuardOptions,
  type RequestOptions,
} from './guard-options.ts'
export type { DelayOptions } from './delay.ts'
export { departureOf } from './departure.ts'
export type { AbortSignalLike } from '../waiting/acquire-options.ts'
export type { Headers, HeaderSink, PolicyDirectory } from './dialects.ts'
export { headerWriter, type HeaderDialect, type HeaderWriter, isTighter } from './headers.ts'
export { type LimitUsage, type UsageAnswer, usageOf } from './usage.ts'
export { refusalFor } from './mount.ts'
export { trustProxyNotice } from './trust-proxy.ts'
export { hasDecisionProperty, bindingOutcome, decisionOf } from './passed-guards.ts'
export { isUnavailable, statusOf, refusalBody, type ErrorFormat, type RefusalBody } from './refusal.ts'
export { isGone, onResponseEnd, type EndingResponse } from './response-end.ts'
export {
  checkLimiter,
  guardOptionsOf,
  limiterOf,
  forgetDefaultStore,
  type AdapterOptions,
  type LimiterShorthand,
} from './adapter-options.ts'
export { type Closable, drain, drainApp, type DrainOptions, type DrainReport } from './drain.ts'
export type { DrainableServer } from './server-end.ts'
