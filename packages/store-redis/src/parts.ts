import { type Demand, type Group, PENALTY_COUNTER, type Evaluation } from '@halt/core/store'

import { type KeyWriter, slotOf } from './keys.ts'

/** What of a group is in one hash slot. */
export interface Part {
  readonly slot: number
  /** The places of its demands in the whole group. */
  readonly places: number[]
  group: Group
}

/** A group by hash slots, its idempotency key aside. */
export function split(group: Group, key: KeyWriter): Part[] {
  const parts = new Map<number, Part>()
  const partAt = (slot: number): Part => {
    let part = parts.get(slot)
    if (part === undefined) parts.set(slot, (part = { slot, places: [], group: { demands: [] } }))
    return part
  }
  for (const [i, demand] of group.demands.entries()) {
    const part = partAt(slotOf(key(demand.subject, demand.rule.counter)))
    part.places.push(i)
    ;(part.group.demands as Demand[]).push(demand)
  }
  const { penalty } = group
  if (penalty !== undefined) {
    const part = partAt(slotOf(key(penalty.subject, PENALTY_COUNTER)))
    part.group = { ...part.group, penalty }
  }
  return [...parts.values()]
}

/** What the parts of a group say together. */
export function merge(
  group: Group,
  parts: readonly Part[],
  verdicts: readonly Evaluation[],
  allowed: boolean,
  repeated: boolean,
): Evaluation {
  const passes: boolean[] = []
  const starts: boolean[] = []
  const states: Evaluation['states'][number][] = []
  const instants: number[] = []
  for (const [i, { places }] of parts.entries()) {
    for (const [n, place] of places.entries()) {
      passes[place] = repeated || (verdicts[i]?.passes[n] ?? false)
      starts[place] = verdicts[i]?.starts[n] === true
      states[place] = verdicts[i]?.states[n] ?? []
      instants[place] = verdicts[i]?.now ?? 0
    }
  }
  const penalty = verdicts[parts.findIndex(part => part.group.penalty !== undefined)]?.penalty ?? []
  // Each slot has its own clock: the latest says when the whole was decided.
  const now = Math.max(...verdicts.map(evaluation => evaluation.now))
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
