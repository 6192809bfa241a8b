import type { Edges, State } from '../algorithms/index.ts'
import type { Demand, Group } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import type { LocalStore } from './local-store.ts'

/** Two ends of a period that differ by less are one, in microseconds: the difference between two clocks drifts. */
const DRIFT = 60e6

/**
 * Evaluates a group in this process. The local store goes by this process's clock, and the periods of quotas by the real store's. So
 * their edges are moved to the local clock, and what is told of them back.
 *
 * @param offset how far this process's clock is ahead of the store's, in microseconds
 */
export function evaluateLocally(store: LocalStore, group: Group, offset: number): Evaluation {
  const { demands, idempotency } = group
  if (idempotency?.edges === undefined && demands.every(({ edges }) => edges === undefined))
    return store.evaluate(group)
  const local = demands.map(demand => ({
    ...demand,
    edges: localEdges(demand.edges, offset),
    chargedTo: localEnd(store, demand, offset),
  }))
  const edges = localEdges(idempotency?.edges, offset)
  const evaluation = store.evaluate({
    ...group,
    demands: local,
    idempotency: idempotency && { ...idempotency, edges },
  })
  const { now } = evaluation
  return {
    ...evaluation,
    states: evaluation.states.map((state, i) => storeState(state, demands[i]?.edges, offset)),
    instants: demands.map(demand => (demand.edges === undefined ? now : now - Math.round(offset))),
  }
}

/** The edges of a period by this process's clock. */
export function localEdges(edges: Edges | undefined, offset: number): Edges | undefined {
  const by = Math.round(offset)
  return edges && [edges[0] + by, edges[1] + by, edges[2] + by]
}

/** The part of a local counter that a refund goes to. */
function localEnd(
  store: LocalStore,
  { subject, rule, edges, chargedTo }: Demand,
  offset: number,
): number | undefined {
  if (edges === undefined || chargedTo === undefined) return chargedTo
  const moved = chargedTo + Math.round(offset)
  const [, end = moved] = store.stateOf(subject, rule.counter)
  return Math.abs(end - moved) < DRIFT ? end : moved
}

/** A local counter of a quota as the store would tell it. */
function storeState(state: State, edges: Edges | undefined, offset: number): State {
  const [blockedUntil, end, ...rest] = state
  if (edges === undefined || blockedUntil === undefined || end === undefined) return state
  const by = Math.round(offset)
  const moved = end - by
  const known = edges.find(edge => Math.abs(edge - moved) < DRIFT)
  return [blockedUntil === 0 ? 0 : blockedUntil - by, known ?? moved, ...rest]
}
