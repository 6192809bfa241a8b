import { abuseScore, type State } from '../algorithms/index.ts'
import { type PenaltyDemand, PenaltyMode } from './contract.ts'
import type { Counters } from './counter-key.ts'

/** The name of the counter that holds a subject's penalty. */
export const PENALTY_COUNTER = 'penalty:p'

/** Loads the penalty of a group. Empty if it is over. */
export function loadPenalty(penalty: PenaltyDemand, counters: Counters, now: number): State {
  const state = counters.load(penalty.subject, PENALTY_COUNTER)
  return now >= abuseScore.freshAt(state) ? [] : state
}

/** Scores the penalty of a group. @param violates whether the group was refused */
export function scorePenalty(
  penalty: PenaltyDemand,
  state: State,
  counters: Counters,
  now: number,
  violates: boolean,
): void {
  const { rule, mode, amount, subject } = penalty
  if (mode === PenaltyMode.RECORD) abuseScore.record(state, now, amount, rule)
  else if (mode === PenaltyMode.APPLY) abuseScore.apply(state, now, amount, rule)
  else if (mode === PenaltyMode.WATCH && violates && abuseScore.scores(state, now, rule)) {
    abuseScore.record(state, now, rule.severity, rule)
  } else return
  counters.keep(subject, PENALTY_COUNTER, state, abuseScore.freshAt(state))
}
