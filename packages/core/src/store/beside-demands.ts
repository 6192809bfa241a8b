import { type Rule, type State, abuseScore, algorithmOf, periodEnd } from '../algorithms/index.ts'
import {
  type Demand,
  type Group,
  type IdempotencyDemand,
  Mode,
  type PenaltyDemand,
  PenaltyMode,
} from './contract.ts'
import type { Counters } from './counter-key.ts'
import type { Evaluation } from './evaluation.ts'

/** Whether a rule counts a call whose idempotency key was seen before. A repeated call is in flight like any other. */
export function countsRepeats(rule: Rule): boolean {
  return algorithmOf(rule).isFlight
}

/** Whether an evaluation charged anything. */
export function hasCharged({ demands }: Group, { allowed, repeated }: Evaluation): boolean {
  return allowed && (!repeated || demands.some(({ rule }) => countsRepeats(rule)))
}

/**
 * Whether a group that is admitted keeps its idempotency key: it charges a demand, now or at the end of the request. A client could
 * otherwise fill a store with keys of free calls, which no limit refuses. A group without demands records the charge of another.
 */
export function keepsKey({ demands }: Group, passes: readonly boolean[]): boolean {
  const charges = ({ mode, cost }: Demand): boolean =>
    mode === Mode.DEFER || (mode !== Mode.PEEK && cost !== 0)
  return demands.length === 0 || demands.some((demand, i) => passes[i] === true && charges(demand))
}

/** Whether the idempotency key of a group was seen before. */
export function isRepeat(idempotency: IdempotencyDemand, counters: Counters, now: number): boolean {
  const state = counters.load(idempotency.subject, idempotency.counter)
  return state.length > 0 && now < state[0]!
}

/** Keeps the idempotency key of a group that was admitted. */
export function remember(
  { subject, counter, window, edges }: IdempotencyDemand,
  counters: Counters,
  now: number,
): void {
  const end = edges === undefined ? now + window : periodEnd(edges, now)
  counters.keep(subject, counter, [end], end)
}

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
