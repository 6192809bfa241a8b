import {
  abuseScore,
  type Demand,
  type Evaluation,
  type Group,
  PENALTY_COUNTER,
  PenaltyMode,
  ruleInForce,
} from '@halt/core/store'

import { type KeyWriter, slotOf } from './keys.ts'
import { type SendToSlot, type SlotGroup, withChanges } from './slot-groups.ts'

/** Applies the penalty to the demands in other slots than its own, which needs one call to read it first. */
export async function withPenaltyRules(group: Group, key: KeyWriter, send: SendToSlot): Promise<Group> {
  const { penalty } = group
  if (penalty === undefined) return group
  const slot = slotOf(key(penalty.subject, PENALTY_COUNTER))
  const isElsewhere = ({ penalized, subject, rule }: Demand): boolean =>
    penalized && slotOf(key(subject, rule.counter)) !== slot
  if (!group.demands.some(isElsewhere)) return group
  const evaluation = await send(slot, { demands: [], penalty: { ...penalty, mode: PenaltyMode.READ } })
  const demands = group.demands.map(demand =>
    isElsewhere(demand) ? { ...demand, rule: ruleInForce(demand, evaluation) } : demand,
  )
  return { ...group, demands }
}

/**
 * Scores the violation of a refused group whose penalty's slot did not refuse. The script scores only a refusal in that slot, so this
 * needs one more call.
 */
export async function scoreRefusalInOtherSlot(
  group: Group,
  slotGroups: readonly SlotGroup[],
  evaluations: (Evaluation | undefined)[],
  send: SendToSlot,
): Promise<void> {
  const { penalty } = group
  const at = slotGroups.findIndex(slotGroup => slotGroup.group.penalty !== undefined)
  const slotGroup = slotGroups[at]
  const evaluation = evaluations[at]
  if (
    penalty === undefined ||
    penalty.mode !== PenaltyMode.WATCH ||
    slotGroup === undefined ||
    evaluation === undefined ||
    // It has scored the violation itself, unless its own demands could wait.
    (!evaluation.allowed && evaluation.startsIn === undefined)
  )
    return
  const { rule } = penalty
  if (!abuseScore.scores(evaluation.penalty, evaluation.now, rule)) return
  const record = { ...penalty, mode: PenaltyMode.RECORD, amount: rule.severity }
  const scored = await send(slotGroup.slot, { demands: [], penalty: record })
  evaluations[at] = withChanges(evaluation, { penalty: scored.penalty })
}
