import { abuseScore, algorithmOf, periodEnd, type Rule, type State } from '../algorithms/index.ts'
import {
  type Demand,
  Mode,
  PenaltyMode,
  type Group,
  type IdempotencyDemand,
  type PenaltyDemand,
  type Evaluation,
} from './contract.ts'

/** Where {@link decide} finds and leaves the counters, all at one instant. */
export interface Counters {
  /** A copy of a counter that the caller may change; empty when there is none. Penalties and keys have no rule. */
  load(subject: string, counter: string, rule?: Rule): State
  /** Keeps a counter until `freshAt` (microseconds), from which instant it equals none. */
  keep(subject: string, counter: string, state: State, freshAt: number): void
}

/** The name of the cell that holds a subject's penalty. */
export const PENALTY_COUNTER = 'penalty:p'

/**
 * Decides a group: the one loop behind every store. Judges every demand, then keeps all charges, or only the cool-downs
 * that start. The penalty is read first, picks each rule's variant, and is scored after judging.
 */
export function decide(group: Group, counters: Counters, now: number): Evaluation {
  const { demands, penalty, idempotency } = group
  if (demands.length === 1 && penalty === undefined && idempotency === undefined)
    return decideOne(demands[0]!, counters, now)
  const offence = penalty === undefined ? NONE : loadPenalty(penalty, counters, now)
  const penalized = offence.length > 0 && abuseScore.active(offence, now)
  const repeated = idempotency !== undefined && seen(idempotency, counters, now)
  const rules: Rule[] = listOf(demands.length)
  const states: State[] = listOf(demands.length)
  const passes: boolean[] = listOf(demands.length)
  let starts: boolean[] | undefined
  let allowed = true
  let refused = false

  for (let i = 0; i < demands.length; i++) {
    const demand = demands[i]!
    const rule = penalized && demand.penalized ? (demand.rule.reduced ?? demand.rule) : demand.rule
    const state = counters.load(demand.subject, rule.counter, rule)
    const passed = (repeated && !countsRepeats(rule)) || fits(demand, rule, state, now)
    rules[i] = rule
    states[i] = state
    passes[i] = passed
    if (!passed && demand.mode !== Mode.SHADOW) {
      allowed = false
      if (demand.mode !== Mode.PEEK) refused = true
    }
  }
  for (let i = 0; i < demands.length; i++) {
    const demand = demands[i]!
    if (repeated && !countsRepeats(rules[i]!)) continue
    if (passes[i]) {
      if (allowed) take(demand, rules[i]!, states[i]!, counters, now)
    } else if (refuse(demand, rules[i]!, states[i]!, counters, now)) {
      starts ??= passes.map(() => false)
      starts[i] = true
    }
  }

  if (penalty !== undefined) scorePenalty(penalty, offence, counters, now, refused)
  if (idempotency !== undefined && allowed && !repeated) remember(idempotency, counters, now)
  return { now, allowed, repeated, passes, starts: starts ?? NOTHING, states, penalty: offence }
}

// The same for the commonest group, without the lists that it does not need.
function decideOne(demand: Demand, counters: Counters, now: number): Evaluation {
  const { rule } = demand
  const state = counters.load(demand.subject, rule.counter, rule)
  const passed = fits(demand, rule, state, now)
  let started = false
  if (passed) take(demand, rule, state, counters, now)
  else started = refuse(demand, rule, state, counters, now)
  return {
    now,
    allowed: passed || demand.mode === Mode.SHADOW,
    repeated: false,
    passes: passed ? YES : NO,
    starts: started ? YES : NOTHING,
    states: [state],
    penalty: NONE,
  }
}

/** A list of a known length, which grows no further: pushing onto an empty one makes room for seventeen. */
export function listOf<T>(length: number): T[] {
  // oxlint-disable-next-line unicorn/no-new-array -- that is the point
  return new Array<T>(length)
}

// Shared by all verdicts: read, never written.
const NONE: State = Object.freeze([]) as unknown as State
const NOTHING: readonly boolean[] = Object.freeze([])
const YES: readonly boolean[] = Object.freeze([true])
const NO: readonly boolean[] = Object.freeze([false])

function fits({ mode, cost }: Demand, rule: Rule, state: State, now: number): boolean {
  if (mode === Mode.SETTLE || mode === Mode.GRANT) return true
  if (mode === Mode.BLOCK) return false
  return now >= blockedUntil(state) && algorithmOf(rule).fits(state, now, cost, rule)
}

/** Keeps the charge, the refund or nothing (a peek, a cost of 0) of a demand that passes. */
function take(
  { subject, cost, mode, edges, chargedTo: receipt }: Demand,
  rule: Rule,
  state: State,
  counters: Counters,
  now: number,
): void {
  if (mode === Mode.PEEK || mode === Mode.HOLD || cost === 0) return
  const algorithm = algorithmOf(rule)
  if (mode === Mode.GRANT) algorithm.grant?.(state, now, cost, rule, edges)
  else if (cost > 0) algorithm.charge(state, now, cost, rule, edges)
  else algorithm.refund(state, now, -cost, rule, receipt ?? 0)
  if (state.length === 0) return
  if (state[0]! <= now) state[0] = 0
  counters.keep(subject, rule.counter, state, freshAt(state, rule))
}

/** Keeps the cool-down that a refusal starts, and says whether it does; a refusal charges nothing. */
function refuse(
  { subject, cost, mode, rule: normal }: Demand,
  rule: Rule,
  state: State,
  counters: Counters,
  now: number,
): boolean {
  if (mode === Mode.PEEK || !startsBlock(state, now, cost, normal)) return false
  if (state.length === 0) state.push(0, ...algorithmOf(rule).idle(now, rule))
  state[0] = now + rule.cooldown
  counters.keep(subject, rule.counter, state, freshAt(state, rule))
  return true
}

/** Whether a rule counts a call whose idempotency key was seen before: it is in flight like any other. */
export function countsRepeats(rule: Rule): boolean {
  return algorithmOf(rule).isFlight
}

/** Whether a verdict took anything of a group. */
export function hasCharged({ demands }: Group, { allowed, repeated }: Evaluation): boolean {
  return allowed && (!repeated || demands.some(({ rule }) => countsRepeats(rule)))
}

/** The instant from which a counter equals a fresh one, its cool-down included. */
export function freshAt(state: State, rule: Rule): number {
  const fresh = algorithmOf(rule).freshAt(state)
  const cooldown = blockedUntil(state)
  return fresh > cooldown ? fresh : cooldown
}

/** The instant at which a counter's cool-down ends; 0 when it has none. */
export function blockedUntil(state: State): number {
  return state.length === 0 ? 0 : state[0]!
}

// A refusal does not extend a cool-down, and a cost that can never pass starts none.
function startsBlock(state: State, now: number, cost: number, rule: Rule): boolean {
  return rule.cooldown > 0 && cost <= rule.capacity && now >= blockedUntil(state)
}

function loadPenalty(penalty: PenaltyDemand, counters: Counters, now: number): State {
  const state = counters.load(penalty.subject, PENALTY_COUNTER)
  return now >= abuseScore.freshAt(state) ? [] : state
}

function scorePenalty(
  penalty: PenaltyDemand,
  state: State,
  counters: Counters,
  now: number,
  refused: boolean,
): void {
  const { rule, mode, amount, subject } = penalty
  if (mode === PenaltyMode.RECORD) abuseScore.record(state, now, amount, rule)
  else if (mode === PenaltyMode.APPLY) abuseScore.apply(state, now, amount, rule)
  else if (mode === PenaltyMode.WATCH && refused && abuseScore.scores(state, now, rule)) {
    abuseScore.record(state, now, rule.severity, rule)
  } else return
  counters.keep(subject, PENALTY_COUNTER, state, abuseScore.freshAt(state))
}

function seen(idempotency: IdempotencyDemand, counters: Counters, now: number): boolean {
  const state = counters.load(idempotency.subject, idempotency.counter)
  return state.length > 0 && now < state[0]!
}

function remember(
  { subject, counter, window, edges }: IdempotencyDemand,
  counters: Counters,
  now: number,
): void {
  const end = edges === undefined ? now + window : periodEnd(edges, now)
  counters.keep(subject, counter, [end], end)
}
