import { abuseScore, algorithmOf, type Rule, type State } from '../algorithms/index.ts'
import { blockedUntil } from './decide.ts'
import type { Demand, Evaluation } from './contract.ts'

/** A verdict as the node saw it that decided the demand at a place. */
export function evaluationAt(evaluation: Evaluation, at: number): Evaluation {
  const now = evaluation.instants?.[at]
  return now === undefined ? evaluation : { ...evaluation, now }
}

/** Until when the verdict's penalty lasts, microseconds; 0 when there is none. */
export function penaltyUntil(evaluation: Evaluation): number {
  return abuseScore.active(evaluation.penalty, evaluation.now) ? abuseScore.until(evaluation.penalty) : 0
}

/** The rule in force for a demand under the verdict's penalty. */
export function ruleInForce({ penalized, rule }: Demand, evaluation: Evaluation): Rule {
  return penalized && rule.reduced !== undefined && penaltyUntil(evaluation) > 0 ? rule.reduced : rule
}

/** Units a window in force for a demand: under the verdict's penalty, and with what a quota was granted. */
export function limitInForce(demand: Demand, state: State, evaluation: Evaluation): number {
  return algorithmOf(demand.rule).limit(state, evaluation.now, ruleInForce(demand, evaluation))
}

/** Microseconds until the demand's cost passes if nobody else asks; `Infinity` when it never can. */
export function waitFor(demand: Demand, state: State, evaluation: Evaluation): number {
  return waitForCost(demand, state, evaluation, demand.cost)
}

/**
 * As {@link waitFor} for any cost, or without one for all of the capacity: looks past the end of a penalty and of a
 * cool-down.
 */
export function waitForCost(demand: Demand, state: State, evaluation: Evaluation, cost?: number): number {
  const { now } = evaluation
  const algorithm = algorithmOf(demand.rule)
  const rule = ruleInForce(demand, evaluation)
  let wait = algorithm.wait(state, now, cost ?? rule.capacity, rule)
  if (rule !== demand.rule) {
    const rest = penaltyUntil(evaluation) - now
    if (wait >= rest)
      wait = Math.max(rest, algorithm.wait(state, now, cost ?? demand.rule.capacity, demand.rule))
  }
  const cooldown = blockedUntil(state) - now
  return wait > cooldown ? wait : cooldown > 0 ? cooldown : 0
}

/** The instant at which nothing charged counts any more: a bucket is full, the counted units have left. Microseconds. */
export function resetAt(demand: Demand, state: State, evaluation: Evaluation): number {
  const { now } = evaluation
  if (state.length === 0) return now
  // A bucket is full when all of its capacity could be taken.
  if (algorithmOf(demand.rule).refills) return now + waitForCost(demand, state, evaluation)
  return Math.max(now, algorithmOf(demand.rule).freshAt(state), blockedUntil(state))
}

/** Units that count at the verdict's instant, rounded up. */
export function used(demand: Demand, state: State, evaluation: Evaluation): number {
  return algorithmOf(demand.rule).used(state, evaluation.now, ruleInForce(demand, evaluation))
}

/** Whole units left for a demand after the verdict. */
export function remaining(demand: Demand, state: State, evaluation: Evaluation): number {
  if (evaluation.now < blockedUntil(state)) return 0
  return algorithmOf(demand.rule).remaining(state, evaluation.now, ruleInForce(demand, evaluation))
}
