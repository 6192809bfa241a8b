import type { State } from '../algorithms/index.ts'
import { type Demand, Mode } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { waitFor } from '../store/reading.ts'

/** Whether a refusal of a demand is worth remembering: it refuses requests, and its counter tells when that ends. */
export function keepsRefusal({ mode, terms }: Demand): boolean {
  return (mode === Mode.CHARGE || mode === Mode.PEEK) && terms === undefined
}

/**
 * Until when a demand stays refused, by this process's clock in microseconds; 0 when it is not refused or the end is
 * unknown.
 */
export function refusedUntilOf(
  demand: Demand,
  state: State,
  evaluation: Evaluation,
  localInstant: number,
): number {
  const wait = waitFor(demand, state, evaluation)
  return wait > 0 && wait < Number.POSITIVE_INFINITY ? localInstant + wait : 0
}
