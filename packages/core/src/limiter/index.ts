// @halt/core/kernel: a limiter without waiting, explanations, resets and leases, for the smallest bundle.
export type { CloseOptions, RateLimiterOptions } from './options.ts'
export { Limiter as RateLimiter } from './limiter.ts'
export type { Reservation, ReserveOptions } from '../reserve/reserve-options.ts'
export type { EvaluatorOptions, LeaseEvaluator, Wings, MakeWitness, Witness } from '../charge/wings.ts'
export type { Evaluator, RuledCounter } from '../check/evaluator.ts'
export type { Decision } from '../check/decision.ts'
