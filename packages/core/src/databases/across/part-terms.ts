import { type Group, Mode } from '../../store/contract.ts'
import type { Evaluation } from '../../store/evaluation.ts'
import { LOOK_RULE } from '../../store/known-groups.ts'
import { overParts, type Part, passesOf } from './part.ts'

/**
 * Lets a node admit its demands at once or not at all. A demand beside them always passes and writes nothing, and no place in
 * line can be charged for it. So the node answers that the caller asks again.
 */
export function withoutTurn<N>(part: Part<N>): Part<N> {
  const { demands } = part.group
  const [first] = demands
  if (first === undefined || demands.every(({ terms }) => !terms?.maxWait)) return part
  const look = { rule: LOOK_RULE, subject: first.subject, cost: 1, mode: Mode.PEEK, penalized: false }
  return { ...part, group: { ...part.group, demands: [...demands, look] } }
}

/** When a refused group may ask again, in microseconds from now. Undefined if a node refuses it for good. */
export function startOverNodes(evaluations: readonly Evaluation[]): number | undefined {
  let startsIn = 0
  for (const evaluation of evaluations) {
    if (evaluation.allowed) continue
    if (evaluation.startsIn === undefined) return undefined
    startsIn = Math.max(startsIn, evaluation.startsIn)
  }
  return startsIn
}

/**
 * The units that each demand of a group gets: where it accepts fewer than its cost, as many as the node with the fewest grants.
 * Undefined if no demand accepts fewer.
 */
export function commonGrants<N>(
  group: Group,
  parts: readonly Part<N>[],
  evaluations: readonly (Evaluation | undefined)[],
): number[] | undefined {
  const { demands } = group
  if (demands.every(({ terms }) => terms?.least === undefined)) return undefined
  const granted = overParts(
    parts,
    (part, at) => evaluations[part]?.grants?.[at] ?? parts[part]!.group.demands[at]!.cost,
  )
  const passes = passesOf(parts, evaluations)
  let most = Number.POSITIVE_INFINITY
  for (const [i, { mode, cost }] of demands.entries())
    if (mode !== Mode.SHADOW && granted[i]! < cost) most = Math.min(most, granted[i]!)
  return demands.map(({ terms }, i) =>
    terms?.least === undefined || !passes[i]
      ? granted[i]!
      : Math.max(terms.least, Math.min(granted[i]!, most)),
  )
}
