import type { Demand, Group } from '../../store/contract.ts'
import { PENALTY_COUNTER } from '../../store/beside-demands.ts'
import type { Evaluation } from '../../store/evaluation.ts'
import { plainEvaluation } from '../../store/known-groups.ts'

/** Names the node that holds a counter: a server, a hash slot, an object. */
export type NodeOf<N> = (subject: string, counter: string) => N

/** Lets a node evaluate a group whose counters are all on it. */
export type Send<N> = (node: N, group: Group) => Promise<Evaluation>

/** The demands of a group whose counters are on one node, as a group of their own. */
export interface Part<N> {
  readonly node: N
  /** For each demand its index in the whole group. */
  readonly indexes: number[]
  group: Group
}

/** The nodes of all counters of a group, without repetitions. */
export function nodesOf<N>({ demands, penalty, idempotency }: Group, nodeOf: NodeOf<N>): N[] {
  const nodes = new Set(demands.map(({ subject, rule }) => nodeOf(subject, rule.counter)))
  if (penalty !== undefined) nodes.add(nodeOf(penalty.subject, PENALTY_COUNTER))
  if (idempotency !== undefined) nodes.add(nodeOf(idempotency.subject, idempotency.counter))
  return [...nodes]
}

/** Splits a group by node. Leaves out its idempotency key, which `PartIdempotency` handles. */
export function splitByNode<N>(group: Group, nodeOf: NodeOf<N>): Part<N>[] {
  const parts = new Map<N, Part<N>>()
  const partAt = (node: N): Part<N> => {
    let part = parts.get(node)
    if (part === undefined) parts.set(node, (part = { node, indexes: [], group: { demands: [] } }))
    return part
  }
  for (const [i, demand] of group.demands.entries()) {
    const part = partAt(nodeOf(demand.subject, demand.rule.counter))
    part.indexes.push(i)
    ;(part.group.demands as Demand[]).push(demand)
  }
  const { penalty } = group
  if (penalty !== undefined) {
    const part = partAt(nodeOf(penalty.subject, PENALTY_COUNTER))
    part.group = { ...part.group, penalty }
  }
  return [...parts.values()]
}

/** A value for each demand of the whole group, by the number of its part and its index there. Every demand is in one part. */
export function overParts<N, T>(parts: readonly Part<N>[], of: (part: number, at: number) => T): T[] {
  const values: T[] = []
  for (const [part, { indexes }] of parts.entries())
    for (const [at, index] of indexes.entries()) values[index] = of(part, at)
  return values
}

/** Whether each demand of the whole group passes on its node. */
export function passesOf<N>(
  parts: readonly Part<N>[],
  evaluations: readonly (Evaluation | undefined)[],
): boolean[] {
  return overParts(parts, (part, at) => evaluations[part]?.passes[at] === true)
}

/** Merges the evaluations of the parts into the evaluation of the whole group. */
export function mergeEvaluations<N>(
  parts: readonly Part<N>[],
  evaluations: readonly Evaluation[],
  allowed: boolean,
  repeated: boolean,
): Evaluation {
  const passes = overParts(parts, (part, at) => repeated || evaluations[part]!.passes[at] === true)
  const starts = overParts(parts, (part, at) => evaluations[part]!.starts[at] === true)
  const states = overParts(parts, (part, at) => evaluations[part]!.states[at] ?? [])
  const shares = overParts(parts, (part, at) => evaluations[part]!.shares?.[at] ?? [])
  const instants = overParts(parts, part => evaluations[part]!.now)
  const penalty = evaluations[parts.findIndex(part => part.group.penalty !== undefined)]?.penalty ?? []
  // Each node has its own clock. The latest instant becomes the instant of the whole group.
  const now = Math.max(...evaluations.map(evaluation => evaluation.now))
  return { now, allowed, repeated, passes, starts, states, shares, instants, penalty }
}

/** An evaluation with other values in some fields. A spread would lose what an evaluation tells by getters. */
export function withChanges(evaluation: Evaluation, changes: Partial<Evaluation>): Evaluation {
  return { ...plainEvaluation(evaluation), ...changes }
}
