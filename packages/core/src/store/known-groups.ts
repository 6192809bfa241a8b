import type { AlgorithmCode, Rule } from '../algorithms/index.ts'
import { type Demand, type Group, Mode } from './contract.ts'
import type { Evaluation } from './evaluation.ts'

/** Whether a group only charges: without a penalty, an idempotency key or terms, and each demand with a cost. */
export function isPlainGroup({ demands, penalty, idempotency }: Group): boolean {
  if (penalty !== undefined || idempotency !== undefined) return false
  for (let i = 0; i < demands.length; i++) {
    const { mode, cost, terms } = demands[i]!
    if (mode !== Mode.CHARGE || cost <= 0 || terms !== undefined) return false
  }
  return true
}

/** Whether a group only charges one counter that is no quota and no units in flight, as `charge` of a store does. */
export function isLoneCharge(group: Group): boolean {
  return group.demands.length === 1 && isChargedAlone(group.demands[0]!.rule.code) && isPlainGroup(group)
}

/** Whether a counter of this algorithm can be charged alone. A quota needs its calendar, and a unit in flight its release. */
export function isChargedAlone(code: AlgorithmCode): boolean {
  return code === 't' || code === 'f' || code === 's'
}

/** Whether a counter of this algorithm has one amount: the debt of a bucket, or the units used in a window or a quota's period. */
export function hasOneAmount(code: AlgorithmCode): boolean {
  return code === 't' || code === 'f' || code === 'q'
}

/** A group without what a caller may have added to it, such as the policies of a check. It can be sent to another process. */
export function plainGroup({ demands, penalty, idempotency }: Group): Group {
  return { demands, penalty, idempotency }
}

/** An evaluation as plain data, which can be sent to another process. Those of `decide` may have getters, which no copy contains. */
export function plainEvaluation(evaluation: Evaluation): Evaluation {
  const { now, allowed, repeated, passes, starts, states, shares, penalty } = evaluation
  const { instants, startsIn, grants } = evaluation
  return { now, allowed, repeated, passes, starts, states, shares, penalty, instants, startsIn, grants }
}

/** The rule of a demand that reads and never writes. No counter is stored under it. */
export const LOOK_RULE: Rule = {
  code: 'f',
  counter: 'look:f',
  limit: 1,
  capacity: 1,
  unit: 1,
  rate: 1,
  window: 1e6,
  slice: 1e6,
  precision: 1,
  cooldown: 0,
  reduced: undefined,
}

/** A group that charges and stores nothing. It tests whether a store decides and replies as expected. */
export const LOOK_GROUP: Group = {
  demands: [{ rule: LOOK_RULE, subject: 'look', cost: 1, mode: Mode.PEEK, penalized: false }],
}

/** A demand that is always refused, on a counter that is never stored. */
export const REFUSED: Omit<Demand, 'subject'> = {
  rule: LOOK_RULE,
  cost: LOOK_RULE.capacity + 1,
  mode: Mode.CHARGE,
  penalized: false,
}
