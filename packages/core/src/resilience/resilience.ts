import type { Evaluator } from '../check/evaluator.ts'
import type { EvaluatorOptions } from '../limiter/wings.ts'
import { GuardedStore } from './guarded-store.ts'

/**
 * Stands in front of a store, so that every request gets a decision: a deadline, a circuit breaker, decisions in this process while the
 * store is away, and what is written back when it returns.
 */
export function resilience(options: EvaluatorOptions): Evaluator {
  return new GuardedStore(options)
}
