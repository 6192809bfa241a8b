// @halt/core/kernel: a limiter without waiting, explanations, resets and leases, for the smallest bundle.
export { Limiter as RateLimiter, type CloseOptions } from './limiter.ts'
export type { Reservation } from './reservation.ts'
export type { ReserveOptions } from './reserve-options.ts'
export type { RateLimiterOptions } from './options.ts'
export type { EvaluatorOptions, LeaseEvaluator, Wings } from './wings.ts'
export type { MakeWitness, Witness } from './witness.ts'
export type { Evaluator, RuledCounter } from '../check/evaluator.ts'
export type { Decision } from '../check/decision.ts'
