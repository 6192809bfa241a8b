import { algorithms, type Demand, type Evaluation, Mode, ruleInForce } from '@halt/core/store'

import { type SendToSlot, type SlotGroup, withChanges } from './slot-groups.ts'

/**
 * Refunds what one slot charged beyond the units that are kept, and updates its evaluation.
 *
 * @param kept the units that each demand keeps
 */
export async function refundDownTo(
  kept: readonly number[],
  slotGroup: SlotGroup,
  evaluations: (Evaluation | undefined)[],
  i: number,
  send: SendToSlot,
): Promise<void> {
  const evaluation = evaluations[i]
  if (evaluation === undefined || !evaluation.allowed) return
  const demands: Demand[] = []
  const indexes: number[] = []
  for (const [at, demand] of slotGroup.group.demands.entries()) {
    const isTaken = demand.mode === Mode.CHARGE || demand.mode === Mode.SHADOW
    const excess = (evaluation.grants?.[at] ?? demand.cost) - (kept[at] ?? 0)
    if (!isTaken || excess <= 0 || evaluation.passes[at] !== true) continue
    const rule = ruleInForce(demand, evaluation)
    const chargedTo = algorithms[rule.code].chargedTo(evaluation.states[at] ?? [], evaluation.now, rule)
    demands.push({ ...demand, mode: Mode.SETTLE, cost: -excess, chargedTo, terms: undefined })
    indexes.push(at)
  }
  if (demands.length === 0) return
  const refunded = await send(slotGroup.slot, { demands })
  const states = [...evaluation.states]
  for (const [n, at] of indexes.entries()) states[at] = refunded.states[n] ?? []
  evaluations[i] = withChanges(evaluation, { states })
}
