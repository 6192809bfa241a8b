export { runCallback, answerIfUnanswered, type CallResult, type CallbackSettings } from './callback.ts'
export { callAtOnce } from '../base/callbacks.ts'
export { fromCaller } from '../base/call-site.ts'
export { atOnce, isStrayPromise } from '../base/promises.ts'
export { contextUser, routeOfContext } from '../request/hono-view.ts'
export { continues } from '../request/body.ts'
export { hasDeparted } from '../request/departed.ts'
export { readHeader, type HeaderBag } from '../request/headers.ts'
export { pathOf } from '../request/path.ts'
export { type MatchedRoute, NO_ROUTE } from '../request/matched-route.ts'
export { matchedRoute } from '../request/route.ts'
export { toView } from '../request/to-view.ts'
export type { RequestView } from '../request/view.ts'
export { HaltError, messageOf } from '../base/errors.ts'
export { warnOnce } from '../base/warnings.ts'
export { parseDuration } from '../base/duration.ts'
export { describe } from '../base/describe.ts'
export { checkNames, namesOf } from '../base/options-check.ts'
export { readGivenCost } from '../policy/cost.ts'
export { isPromise } from '../base/promises.ts'
export { LimitedError } from '../waiting/limited-error.ts'
export { readMaxWait } from '../waiting/acquire-options.ts'
export { LIMITER_OPTIONS, type LimiterSettings, type RateLimiterOptions } from '../limiter/options.ts'
export { watchResponse, type NodeResponse } from './watch-response.ts'
export { type FetchExchange, watchFetch } from './fetch-exchange.ts'
export { addHeaders } from './fetch-headers.ts'
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
export { headerWriter, type HeaderDialect, type HeaderWriter } from './headers.ts'
export type { Outcome } from './outcome.ts'
export { type LimitUsage, type UsageAnswer, usageOf } from './usage.ts'
export { refusalFor } from './mount.ts'
export { isTighter } from './tightest.ts'
export { trustProxyNotice } from './trust-proxy.ts'
export { hasDecisionProperty } from './decision-property.ts'
export { bindingOutcome, decisionOf } from './passed-guards.ts'
export { isUnavailable, statusOf, refusalBody, type ErrorFormat, type RefusalBody } from './refusal.ts'
export { applyHeaders, type HeaderPort, tellHeaders } from './apply-headers.ts'
export { onResponseDecision, type DecidingResponse } from './response-decision.ts'
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
