export { callUser, unlessAnswered, type CallResult, type Caretaker } from './callback.ts'
export { contextUser } from '../request/context-view.ts'
export { readHeader, type HeaderBag } from '../request/headers.ts'
export { pathOf } from '../request/path.ts'
export { matchedRoute } from '../request/route.ts'
export { toView, type RequestView } from '../request/view.ts'
export { describe } from '../duration.ts'
export { isPromise } from '../timers.ts'
export { LIMITER_OPTIONS, type RateLimiterOptions } from '../options.ts'
export { guard, type Guard } from './guard.ts'
export { checkGuardOptions, type GuardOptions } from './guard-options.ts'
export {
  headerWriter,
  type HeaderDialect,
  type Headers,
  type HeaderWriter,
  type PolicyDirectory,
} from './headers.ts'
export { refusalFor, type Outcome } from './outcome.ts'
export { isTighter } from './rank.ts'
export { trustProxyNotice } from './trust-proxy.ts'
export { decisionOf } from './visits.ts'
export { isOurs, refusalBody, type ErrorFormat, type RefusalBody } from './refusal.ts'
export { applyHeaders, type HeaderTarget } from './response.ts'
export { onResponseEnd, type EndingResponse } from './response-end.ts'
export { guardOptionsOf, limiterOf, type AdapterOptions, type LimiterShorthand } from './shorthand.ts'
