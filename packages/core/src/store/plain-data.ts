import type { Group } from './contract.ts'
import type { Evaluation } from './evaluation.ts'

/** A group without what a caller may have added to it, such as the policies of a check. It can be sent to another process. */
export function plainGroup({ demands, penalty, idempotency }: Group): Group {
  return { demands, penalty, idempotency }
}

/** An evaluation as plain data, which can be sent to another process. Those of `decide` may have getters, which no copy contains. */
export function plainEvaluation(evaluation: Evaluation): Evaluation {
  const { now, allowed, repeated, passes, starts, states, penalty, instants, startsIn, grants } = evaluation
  return { now, allowed, repeated, passes, starts, states, penalty, instants, startsIn, grants }
}
