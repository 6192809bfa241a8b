import {
  type Rule,
  type State,
  abuseScore,
  algorithmOf,
  blockedUntil,
  debtAt,
  leadOf,
  waitToHold,
} from '../algorithms/index.ts'
import type { Demand } from './contract.ts'
import type { Evaluation } from './evaluation.ts'
import { fewestOf, unitsLeftToOthers } from './terms.ts'

/** The evaluation at the instant at which its node decided the demand at this index. */
export function evaluationAt(evaluation: Evaluation, at: number): Evaluation {
  const now = evaluation.instants?.[at]
  return now === undefined ? evaluation : { ...evaluation, now }
}

/** The evaluation as of the instant at which its work starts, where the caller waits for a place that it has charged. */
export function evaluationAtStart(evaluation: Evaluation): Evaluation {
  const { startsIn } = evaluation
  // perf: bench "limiter.consume(key), three policies"; the other fields may be made when they are read.
  if (startsIn === undefined || !evaluation.allowed) return evaluation
  const { allowed, repeated, passes, starts, states, shares, penalty, grants } = evaluation
  const now = evaluation.now + startsIn
  const instants = evaluation.instants?.map(instant => instant + startsIn)
  return { now, allowed, repeated, passes, starts, states, shares, penalty, instants, grants }
}

/** The instant at which the evaluation's active penalty ends, microseconds; 0 if no penalty is active. */
export function penaltyUntil(evaluation: Evaluation): number {
  return abuseScore.active(evaluation.penalty, evaluation.now) ? abuseScore.until(evaluation.penalty) : 0
}

/** The rule in force for a demand: the reduced one if the evaluation's penalty is active and applies to the demand. */
export function ruleInForce({ penalized, rule }: Demand, evaluation: Evaluation): Rule {
  return penalized && rule.reduced !== undefined && penaltyUntil(evaluation) > 0 ? rule.reduced : rule
}

/** The units per window in force for a demand, a penalty and a quota's grant included. */
export function limitInForce(demand: Demand, state: State, evaluation: Evaluation): number {
  return algorithmOf(demand.rule).limit(state, evaluation.now, ruleInForce(demand, evaluation))
}

/** Microseconds until the demand's cost passes if no other request comes; `Infinity` if it never can. */
export function waitFor(demand: Demand, state: State, evaluation: Evaluation): number {
  return waitForCost(demand, state, evaluation, fewestOf(demand))
}

/**
 * Microseconds until `cost` passes, as {@link waitFor}. Accounts for the end of a penalty and of a cool-down, and for the units
 * that the demand leaves to others.
 *
 * @param cost units; default: the whole capacity, whatever is left to others
 */
export function waitForCost(demand: Demand, whole: State, evaluation: Evaluation, cost?: number): number {
  const { now } = evaluation
  const algorithm = algorithmOf(demand.rule)
  const state = withoutOwn(demand, whole, now)
  const rule = ruleInForce(demand, evaluation)
  const units = (inForce: Rule): number =>
    cost === undefined ? inForce.capacity : cost + unitsLeftToOthers(demand, inForce)
  let wait = algorithm.wait(state, now, units(rule), rule)
  if (rule !== demand.rule) {
    const rest = penaltyUntil(evaluation) - now
    if (wait >= rest) wait = Math.max(rest, algorithm.wait(state, now, units(demand.rule), demand.rule))
  }
  const cooldown = blockedUntil(state) - now
  return wait > cooldown ? wait : cooldown > 0 ? cooldown : 0
}

/**
 * Microseconds until a tenant's share lets a demand pass, if nobody else asks. 0 if it does now, or without a share.
 *
 * @param units default: those that the demand accepts at least
 */
export function waitForShare(
  demand: Demand,
  at: number,
  whole: Evaluation,
  units: number = fewestOf(demand),
): number {
  const share = demand.terms?.share
  if (share === undefined || whole.repeated) return 0
  const { now, states, shares } = evaluationAt(whole, at)
  const [own, all, pool] = [shares?.[at] ?? [], states[at] ?? [], ruleInForce(demand, whole)]
  if (algorithmOf(pool).isFlight) return waitToHold(own, all, now, units, pool, share.weight)
  if (own.length === 0) return 0
  return leadOf(own, now, units, { pool, debt: debtAt(all, now, pool), ticket: share.ticket }).wait
}

/** Whether a tenant's share lets a demand pass. True without a share. */
export function isShareDue(demand: Demand, at: number, evaluation: Evaluation): boolean {
  return evaluation.passes[at] === true || waitForShare(demand, at, evaluation) === 0
}

/** A counter without the units that the call of a demand holds: they need no room for it. */
function withoutOwn({ rule, terms }: Demand, state: State, now: number): State {
  const { holds } = algorithmOf(rule)
  if (terms?.held === undefined || holds === undefined) return state
  const others = [...state]
  holds.release(others, now, terms.held)
  return others
}

/** The instant at which no charged unit counts any more: a bucket is full, or the units have left the window. Microseconds. */
export function resetAt(demand: Demand, state: State, evaluation: Evaluation): number {
  const { now } = evaluation
  if (state.length === 0) return now
  // A bucket is full when its whole capacity fits.
  if (algorithmOf(demand.rule).refills) return now + waitForCost(demand, state, evaluation)
  return Math.max(now, algorithmOf(demand.rule).freshAt(state), blockedUntil(state))
}

/** The units that count at the evaluation's instant, rounded up. */
export function used(demand: Demand, state: State, evaluation: Evaluation): number {
  return algorithmOf(demand.rule).used(state, evaluation.now, ruleInForce(demand, evaluation))
}

/** The units of a quota that calls hold at the evaluation's instant; 0 for other counters. */
export function held(demand: Demand, state: State, evaluation: Evaluation): number {
  return algorithmOf(demand.rule).holds?.held(state, evaluation.now) ?? 0
}

/** Whether a demand that a quota refuses would pass if no call held units of it. */
export function isHeldUp(demand: Demand, state: State, evaluation: Evaluation): boolean {
  const units = held(demand, state, evaluation)
  if (units === 0 || evaluation.now < blockedUntil(state)) return false
  const { rule } = demand
  const need = fewestOf(demand) + unitsLeftToOthers(demand, rule)
  return algorithmOf(rule).fits(state, evaluation.now, need - units, rule)
}

/** The line in front of a bucket: what was charged beyond its capacity, and waits for its turn. */
export interface UnitsInLine {
  /** Units, rounded up. */
  readonly units: number
  /** Microseconds until the last of them starts. */
  readonly micros: number
}

/** The line in front of a demand's bucket. Undefined if nobody waits, or if the counter is not a bucket. */
export function lineOf(demand: Demand, state: State, evaluation: Evaluation): UnitsInLine | undefined {
  const algorithm = algorithmOf(demand.rule)
  if (!algorithm.refills) return undefined
  // The normal rule, because a penalty makes the capacity smaller, and nobody comes to wait by that.
  const { rule } = demand
  const units = algorithm.used(state, evaluation.now, rule) - rule.capacity
  return units > 0 ? { units, micros: algorithm.wait(state, evaluation.now, 0, rule) } : undefined
}

/**
 * Whether units beyond the capacity are a debt under other numbers, for which nobody waits: a larger plan that shares the counter was
 * charged them, or a limit was lowered.
 */
export function isForeignDebt(demand: Demand, state: State, evaluation: Evaluation): boolean {
  const algorithm = algorithmOf(demand.rule)
  if (algorithm.line?.read(state, evaluation.now, demand.rule) !== undefined) return false
  return algorithm.lastCharge(state, evaluation.now, demand.rule, demand.edges).isOwn === false
}

/** The whole units left for a demand after the evaluation, without the units that it leaves to others. */
export function remaining(demand: Demand, state: State, evaluation: Evaluation): number {
  if (evaluation.now < blockedUntil(state)) return 0
  const rule = ruleInForce(demand, evaluation)
  const left = algorithmOf(demand.rule).remaining(state, evaluation.now, rule)
  return demand.terms === undefined ? left : Math.max(0, left - unitsLeftToOthers(demand, rule))
}
