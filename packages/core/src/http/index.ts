export { callUser, unlessAnswered, type CallResult, type Caretaker } from './callback.ts'
export { pathOf, toView, readHeader, type HeaderBag, type RequestView } from '../request/view.ts'
export { LIMITER_OPTIONS, type RateLimiterOptions } from '../options.ts'
export { guard, type Guard } from './guard.ts'
export { checkGuardOptions, GUARD_OPTIONS, type GuardOptions } from './guard-options.ts'
export {
  headerWriter,
  type HeaderDialect,
  type Headers,
  type HeaderWriter,
  type PolicyDirectory,
} from './headers.ts'
export type { Outcome } from './outcome.ts'
export { isOurs, refusalBody, type ErrorFormat, type RefusalBody } from './refusal.ts'
export { applyHeaders, type HeaderTarget } from './response.ts'
export { limiterOf, type AdapterOptions, type LimiterShorthand } from './shorthand.ts'
export { refusalFor } from './visits.ts'
