import { type Evaluation, type Group, Mode } from '@halt/core/store'

import { PEEK_RULE } from './peek-group.ts'
import type { SlotGroup } from './slot-groups.ts'

/**
 * Lets a slot admit its demands at once or not at all. A demand beside them always passes and writes nothing, and no place in
 * line can be charged for it. So the slot answers that the caller asks again.
 */
export function withoutPlace(slotGroup: SlotGroup): SlotGroup {
  const { demands } = slotGroup.group
  const [first] = demands
  if (first === undefined || demands.every(({ terms }) => !terms?.maxWait)) return slotGroup
  const look = { rule: PEEK_RULE, subject: first.subject, cost: 1, mode: Mode.PEEK, penalized: false }
  return { ...slotGroup, group: { ...slotGroup.group, demands: [...demands, look] } }
}

/** When a refused group may ask again, in microseconds from now. Undefined if a slot refuses it for good. */
export function startOverSlots(evaluations: readonly Evaluation[]): number | undefined {
  let startsIn = 0
  for (const evaluation of evaluations) {
    if (evaluation.allowed) continue
    if (evaluation.startsIn === undefined) return undefined
    startsIn = Math.max(startsIn, evaluation.startsIn)
  }
  return startsIn
}

/**
 * The units that each demand of a group gets: where it accepts fewer than its cost, as many as the slot with the fewest grants.
 * Undefined if no demand accepts fewer.
 */
export function commonGrants(
  { demands }: Group,
  slotGroups: readonly SlotGroup[],
  evaluations: readonly (Evaluation | undefined)[],
): number[] | undefined {
  if (demands.every(({ terms }) => terms?.least === undefined)) return undefined
  const granted = demands.map(({ cost }) => cost)
  const passes = demands.map(() => false)
  for (const [i, { indexes }] of slotGroups.entries())
    for (const [n, index] of indexes.entries()) {
      granted[index] = evaluations[i]?.grants?.[n] ?? granted[index]!
      passes[index] = evaluations[i]?.passes[n] === true
    }
  let most = Number.POSITIVE_INFINITY
  for (const [i, { mode, cost }] of demands.entries())
    if (mode !== Mode.SHADOW && granted[i]! < cost) most = Math.min(most, granted[i]!)
  return demands.map(({ terms }, i) =>
    terms?.least === undefined || !passes[i]
      ? granted[i]!
      : Math.max(terms.least, Math.min(granted[i]!, most)),
  )
}
