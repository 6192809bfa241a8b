import { algorithmOf } from '../algorithms/index.ts'
import type { RuledCounter } from './evaluator.ts'
import { type Group, Mode } from '../store/contract.ts'

/** Whether callers may stand in line for a counter, so that a reset must not forget it as a whole. */
export function mayHaveLine({ rule }: RuledCounter): boolean {
  return algorithmOf(rule).line !== undefined
}

/** The group that resets a counter for which callers may stand in line. */
export function resetGroup({ subject, rule }: RuledCounter): Group {
  return { demands: [{ rule, subject, cost: 0, mode: Mode.RESET, penalized: false }] }
}
