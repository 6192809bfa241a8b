import { type Demand, type Group, PENALTY_COUNTER, type Evaluation } from '@halt/core/store'

import { type KeyWriter, slotOf } from './keys.ts'

/** Lets the node of a hash slot evaluate a group whose keys are all in that slot. */
export type SendToSlot = (slot: number, group: Group) => Promise<Evaluation>

/** The demands of a group whose keys are in one hash slot, as a group of their own. */
export interface SlotGroup {
  readonly slot: number
  /** For each demand its index in the whole group. */
  readonly indexes: number[]
  group: Group
}

/** Splits a group by hash slot. Leaves out its idempotency key, which ClusterIdempotency handles. */
export function splitBySlot(group: Group, key: KeyWriter): SlotGroup[] {
  const slotGroups = new Map<number, SlotGroup>()
  const slotGroupAt = (slot: number): SlotGroup => {
    let slotGroup = slotGroups.get(slot)
    if (slotGroup === undefined)
      slotGroups.set(slot, (slotGroup = { slot, indexes: [], group: { demands: [] } }))
    return slotGroup
  }
  for (const [i, demand] of group.demands.entries()) {
    const slotGroup = slotGroupAt(slotOf(key(demand.subject, demand.rule.counter)))
    slotGroup.indexes.push(i)
    ;(slotGroup.group.demands as Demand[]).push(demand)
  }
  const { penalty } = group
  if (penalty !== undefined) {
    const slotGroup = slotGroupAt(slotOf(key(penalty.subject, PENALTY_COUNTER)))
    slotGroup.group = { ...slotGroup.group, penalty }
  }
  return [...slotGroups.values()]
}

/** Merges the evaluations of the slots into the evaluation of the whole group. */
export function mergeEvaluations(
  group: Group,
  slotGroups: readonly SlotGroup[],
  evaluations: readonly Evaluation[],
  allowed: boolean,
  repeated: boolean,
): Evaluation {
  const passes: boolean[] = []
  const starts: boolean[] = []
  const states: Evaluation['states'][number][] = []
  const instants: number[] = []
  for (const [i, { indexes }] of slotGroups.entries()) {
    for (const [n, index] of indexes.entries()) {
      passes[index] = repeated || (evaluations[i]?.passes[n] ?? false)
      starts[index] = evaluations[i]?.starts[n] === true
      states[index] = evaluations[i]?.states[n] ?? []
      instants[index] = evaluations[i]?.now ?? 0
    }
  }
  const penalty =
    evaluations[slotGroups.findIndex(slotGroup => slotGroup.group.penalty !== undefined)]?.penalty ?? []
  // Each node has its own clock. The latest instant is that of the whole.
  const now = Math.max(...evaluations.map(evaluation => evaluation.now))
  return {
    now,
    allowed,
    repeated,
    passes,
    starts,
    states,
    instants,
    penalty: group.penalty === undefined ? [] : penalty,
  }
}

/** An evaluation with other values in some fields. A spread would lose what an evaluation tells by getters. */
export function withChanges(evaluation: Evaluation, changes: Partial<Evaluation>): Evaluation {
  const { now, allowed, repeated, passes, starts, states, penalty, instants, startsIn, grants } = evaluation
  return {
    now,
    allowed,
    repeated,
    passes,
    starts,
    states,
    penalty,
    instants,
    startsIn,
    grants,
    ...changes,
  }
}
