import type { Evaluator } from '../check/evaluator.ts'
import type { LeaseEvaluator } from '../limiter/wings.ts'
import { onReconnection } from './reconnections.ts'
import type { Store } from '../store/contract.ts'
import { Leases } from './leases.ts'

/** Decides by the `lease` of policies: units that this process takes in advance. */
export function leases(evaluator: Evaluator, store: Store): LeaseEvaluator {
  const own = new Leases(evaluator)
  onReconnection(store, own)
  return own
}
