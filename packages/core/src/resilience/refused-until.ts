import type { State } from '../algorithms/index.ts'
import { type Demand, Mode } from '../store/contract.ts'
import { blockedUntil } from '../store/cooldown.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { waitFor } from '../store/reading.ts'

/** Whether a refusal of a demand is worth remembering: it refuses requests, and its counter tells when that ends. */
export function keepsRefusal({ mode, terms }: Demand): boolean {
  return (mode === Mode.CHARGE || mode === Mode.DEFER || mode === Mode.PEEK) && terms === undefined
}

/**
 * Until when a demand stays refused, by this process's clock in microseconds; 0 when it is not refused or the end is
 * unknown. A cost that can never pass is refused for ever, but its key only for its cool-down.
 */
export function refusedUntilOf(
  demand: Demand,
  state: State,
  evaluation: Evaluation,
  localInstant: number,
): number {
  const whole = waitFor(demand, state, evaluation)
  const wait = whole === Number.POSITIVE_INFINITY ? blockedUntil(state) - evaluation.now : whole
  return wait > 0 ? localInstant + wait : 0
}
