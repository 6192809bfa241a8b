import { algorithmOf } from '../../algorithms/index.ts'
import { type Demand, Mode } from '../../store/contract.ts'
import type { Evaluation } from '../../store/evaluation.ts'
import { ruleInForce } from '../../store/reading.ts'
import { shareIn } from '../../store/terms.ts'
import { type Part, type Send, withChanges } from './part.ts'

/**
 * Refunds the units that one node charged beyond those that are kept. Resolves to the node's evaluation after the refund.
 *
 * @param kept the units that each demand keeps
 */
export async function refundDownTo<N>(
  kept: readonly number[],
  { node, group }: Part<N>,
  evaluation: Evaluation | undefined,
  send: Send<N>,
): Promise<Evaluation | undefined> {
  if (evaluation === undefined || !evaluation.allowed) return evaluation
  const demands: Demand[] = []
  const indexes: number[] = []
  for (const [at, demand] of group.demands.entries()) {
    const isTaken = demand.mode === Mode.CHARGE || demand.mode === Mode.SHADOW
    const excess = (evaluation.grants?.[at] ?? demand.cost) - (kept[at] ?? 0)
    if (!isTaken || excess <= 0 || evaluation.passes[at] !== true) continue
    const rule = ruleInForce(demand, evaluation)
    // It was charged with its place, and nothing now.
    if (demand.terms?.place !== undefined) continue
    const state = evaluation.states[at] ?? []
    const { holds } = algorithmOf(rule)
    const time = demand.terms?.keptFor ?? 0
    if (time > 0 && holds !== undefined) {
      const held = { to: holds.end(state, evaluation.now, time), units: excess }
      demands.push({ ...demand, mode: Mode.SETTLE, cost: 0, terms: { held } })
    } else {
      // Units that the call had held are not held again. They are free.
      const chargedTo = algorithmOf(rule).chargedTo(state, evaluation.now, rule)
      demands.push({ ...demand, mode: Mode.SETTLE, cost: -excess, chargedTo, terms: shareIn(demand) })
    }
    indexes.push(at)
  }
  if (demands.length === 0) return evaluation
  const refunded = await send(node, { demands })
  const [states, shares] = [[...evaluation.states], [...(evaluation.shares ?? [])]]
  for (const [n, at] of indexes.entries()) {
    states[at] = refunded.states[n] ?? []
    shares[at] = refunded.shares?.[n] ?? shares[at]!
  }
  return withChanges(evaluation, { states, shares: evaluation.shares && shares })
}
