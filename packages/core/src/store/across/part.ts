import type { Demand, Group } from '../contract.ts'
import { PENALTY_COUNTER } from '../decide.ts'
import type { Evaluation } from '../evaluation.ts'

/** Names the place that holds a counter: a node, a hash slot, an object. */
export type PlaceOf<P> = (subject: string, counter: string) => P

/** Lets a place evaluate a group whose counters are all there. */
export type Send<P> = (place: P, group: Group) => Promise<Evaluation>

/** The demands of a group whose counters are in one place, as a group of their own. */
export interface Part<P> {
  readonly place: P
  /** For each demand its index in the whole group. */
  readonly indexes: number[]
  group: Group
}

/** The places of all counters of a group, without repetitions. */
export function placesOf<P>({ demands, penalty, idempotency }: Group, placeOf: PlaceOf<P>): P[] {
  const places = new Set(demands.map(({ subject, rule }) => placeOf(subject, rule.counter)))
  if (penalty !== undefined) places.add(placeOf(penalty.subject, PENALTY_COUNTER))
  if (idempotency !== undefined) places.add(placeOf(idempotency.subject, idempotency.counter))
  return [...places]
}

/** Splits a group by place. Leaves out its idempotency key, which `PartIdempotency` handles. */
export function splitByPlace<P>(group: Group, placeOf: PlaceOf<P>): Part<P>[] {
  const parts = new Map<P, Part<P>>()
  const partAt = (place: P): Part<P> => {
    let part = parts.get(place)
    if (part === undefined) parts.set(place, (part = { place, indexes: [], group: { demands: [] } }))
    return part
  }
  for (const [i, demand] of group.demands.entries()) {
    const part = partAt(placeOf(demand.subject, demand.rule.counter))
    part.indexes.push(i)
    ;(part.group.demands as Demand[]).push(demand)
  }
  const { penalty } = group
  if (penalty !== undefined) {
    const part = partAt(placeOf(penalty.subject, PENALTY_COUNTER))
    part.group = { ...part.group, penalty }
  }
  return [...parts.values()]
}

/** Whether each demand of the whole group passes in its place. */
export function passesOf<P>(
  { demands }: Group,
  parts: readonly Part<P>[],
  evaluations: readonly (Evaluation | undefined)[],
): boolean[] {
  const passes = demands.map(() => false)
  for (const [i, { indexes }] of parts.entries())
    for (const [n, index] of indexes.entries()) passes[index] = evaluations[i]?.passes[n] === true
  return passes
}

/** Merges the evaluations of the parts into the evaluation of the whole group. */
export function mergeEvaluations<P>(
  group: Group,
  parts: readonly Part<P>[],
  evaluations: readonly Evaluation[],
  allowed: boolean,
  repeated: boolean,
): Evaluation {
  const passes: boolean[] = []
  const starts: boolean[] = []
  const states: Evaluation['states'][number][] = []
  const instants: number[] = []
  for (const [i, { indexes }] of parts.entries()) {
    for (const [n, index] of indexes.entries()) {
      passes[index] = repeated || (evaluations[i]?.passes[n] ?? false)
      starts[index] = evaluations[i]?.starts[n] === true
      states[index] = evaluations[i]?.states[n] ?? []
      instants[index] = evaluations[i]?.now ?? 0
    }
  }
  const penalty = evaluations[parts.findIndex(part => part.group.penalty !== undefined)]?.penalty ?? []
  // Each place has its own clock. The latest instant is that of the whole.
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
