import { abuseScore } from '../../algorithms/index.ts'
import { type Demand, type Group, PenaltyMode } from '../../store/contract.ts'
import { PENALTY_COUNTER } from '../../store/beside-demands.ts'
import type { Evaluation } from '../../store/evaluation.ts'
import { ruleInForce } from '../../store/reading.ts'
import { type Part, type NodeOf, type Send, withChanges } from './part.ts'

/** Applies the penalty to the demands on other nodes than its own, which needs one call to read it first. */
export async function withPenaltyRules<N>(group: Group, nodeOf: NodeOf<N>, send: Send<N>): Promise<Group> {
  const { penalty } = group
  if (penalty === undefined) return group
  const node = nodeOf(penalty.subject, PENALTY_COUNTER)
  const isElsewhere = ({ penalized, subject, rule }: Demand): boolean =>
    penalized && nodeOf(subject, rule.counter) !== node
  if (!group.demands.some(isElsewhere)) return group
  const evaluation = await send(node, { demands: [], penalty: { ...penalty, mode: PenaltyMode.READ } })
  const demands = group.demands.map(demand =>
    isElsewhere(demand) ? { ...demand, rule: ruleInForce(demand, evaluation) } : demand,
  )
  return { ...group, demands }
}

/**
 * Scores the violation of a refused group whose penalty's node did not refuse. A node scores only its own refusals, so this needs
 * one more call.
 */
export async function scoreRefusalElsewhere<N>(
  group: Group,
  parts: readonly Part<N>[],
  evaluations: (Evaluation | undefined)[],
  send: Send<N>,
): Promise<void> {
  const { penalty } = group
  const at = parts.findIndex(part => part.group.penalty !== undefined)
  const part = parts[at]
  const evaluation = evaluations[at]
  if (
    penalty === undefined ||
    penalty.mode !== PenaltyMode.WATCH ||
    part === undefined ||
    evaluation === undefined ||
    // It has scored the violation itself, unless its own demands could wait.
    (!evaluation.allowed && evaluation.startsIn === undefined)
  )
    return
  const { rule } = penalty
  if (!abuseScore.scores(evaluation.penalty, evaluation.now, rule)) return
  const record = { ...penalty, mode: PenaltyMode.RECORD, amount: rule.severity }
  const scored = await send(part.node, { demands: [], penalty: record })
  evaluations[at] = withChanges(evaluation, { penalty: scored.penalty })
}
