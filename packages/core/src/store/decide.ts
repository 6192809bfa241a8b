import {
  abuseScore,
  algorithmOf,
  type Rule,
  type State,
  takeClock,
  type VirtualClock,
  withClock,
} from '../algorithms/index.ts'
import { listOf } from '../base/list.ts'
import { type Demand, Mode, type Group } from './contract.ts'
import { Admitted } from './admitted.ts'
import type { Evaluation } from './evaluation.ts'
import { blockedUntil, freshAt, startsCooldown } from './cooldown.ts'
import { unknownLayout } from './evaluation-check.ts'
import type { Counters } from './counter-access.ts'
import { changeLine, isAboutLine } from './line-demands.ts'
import { loadPenalty, scorePenalty } from './penalty-step.ts'
import { countsRepeats, isRepeat, keepsKey, remember } from './repeats.ts'
import { Shares } from './shares.ts'
import {
  admitLater,
  type Decided,
  fitsNeeded,
  grantsOf,
  hasLeast,
  isDemandAlone,
  isReserved,
  startOf,
  unitsOf,
} from './terms.ts'

/**
 * Decides a group. Every store runs this loop, or a mirror of it in its own language.
 *
 * The first pass decides every demand. The second pass writes all charges, or only the cool-downs that start. The penalty is
 * read first, because an active penalty replaces rules by their reduced form; it is scored last.
 */
export function decide(group: Group, counters: Counters, now: number): Evaluation {
  const { demands, penalty, idempotency } = group
  const [only] = demands
  if (demands.length === 1 && penalty === undefined && idempotency === undefined && only!.terms === undefined)
    return decideOne(only!, counters, now)
  const penaltyState = penalty === undefined ? NONE : loadPenalty(penalty, counters, now)
  const penalized = penaltyState.length > 0 && abuseScore.active(penaltyState, now)
  const repeated = idempotency !== undefined && isRepeat(idempotency, counters, now)
  const rules: Rule[] = listOf(demands.length)
  const states: State[] = listOf(demands.length)
  const passes: boolean[] = listOf(demands.length)
  let starts: boolean[] | undefined
  let allowed = true
  let violates = false
  let hasTerms = false
  let shares: Shares | undefined

  for (let i = 0; i < demands.length; i++) {
    const demand = demands[i]!
    const own = penalized && demand.penalized ? (demand.rule.reduced ?? demand.rule) : demand.rule
    const loaded = counters.load(demand.subject, own.counter, own)
    const clock = loaded.length > BUCKET_LENGTH ? takeClock(loaded, now, own) : undefined
    const state = loaded.length > BUCKET_LENGTH ? stateToUse(loaded, own, now, counters.hasOneClock) : loaded
    const rule = ruleFor(demand, own, state, now)
    rules[i] = rule
    states[i] = state
    if (clock !== undefined || demand.terms?.share !== undefined)
      shares ??= new Shares({ demands, rules, states, passes }, now)
    if (clock !== undefined) shares!.note(i, clock)
    const passed =
      (repeated && !countsRepeats(rule)) ||
      (demand.terms?.share === undefined ? fits(demand, rule, state, now) : shares!.fits(i))
    passes[i] = passed
    if (demand.terms !== undefined) hasTerms = true
    if (!passed && demand.mode !== Mode.SHADOW) {
      allowed = false
      if (isAsked(demand)) violates = true
    }
  }
  shares?.pairShadows()
  const decided: Decided = { demands, rules, states, passes, shares }
  const start = hasTerms && violates ? startOf(decided, now, idempotency !== undefined) : undefined
  if (start !== undefined) {
    violates = false
    allowed = start.isPlace
    if (start.isPlace) admitLater(decided)
  }
  const grants = hasTerms && allowed ? grantsOf(decided, now, start !== undefined) : undefined
  for (let i = 0; i < demands.length; i++) {
    const demand = demands[i]!
    if (repeated && !countsRepeats(rules[i]!)) continue
    const clock = shares?.clockAt(i)
    if (passes[i]) {
      const units = grants?.[i] ?? demand.cost
      const turned = allowed ? shares?.charge(i, units) : false
      if (turned === true) keep(demand, rules[i]!, states[i]!, counters, now)
      else if (turned === undefined)
        applyDemand(demand, units, rules[i]!, states[i]!, counters, now, clock, start?.isPlace)
    } else if (start !== undefined) {
      if (shares?.promise(i)) keep(demand, rules[i]!, states[i]!, counters, now)
    } else if (startCooldown(demand, rules[i]!, states[i]!, counters, now, clock)) {
      starts ??= passes.map(() => false)
      starts[i] = true
    }
  }

  if (penalty !== undefined) scorePenalty(penalty, penaltyState, counters, now, violates)
  if (idempotency !== undefined && allowed && !repeated && keepsKey(group, passes))
    remember(idempotency, counters, now)
  const [state] = states
  if (hasTerms && start?.isPlace === true && isDemandAlone(group))
    // perf: bench "queue"; a state that grew has room for more, and each caller that waits keeps one.
    return new Admitted(now, rules[0]!, state![2], state!.slice(), start.wait)
  const told = shares?.told() ?? states
  const plain = {
    now,
    allowed,
    repeated,
    passes,
    starts: starts ?? NOTHING,
    states: told,
    penalty: penaltyState,
  }
  return hasTerms
    ? { ...plain, startsIn: start?.wait, grants: hasLeast(demands) ? grants : undefined }
    : plain
}

// perf: bench "@halt/store-memory, token bucket"; one demand alone is the most common group, and needs no lists.
function decideOne(demand: Demand, counters: Counters, now: number): Evaluation {
  const loaded = counters.load(demand.subject, demand.rule.counter, demand.rule)
  const isLong = loaded.length > BUCKET_LENGTH
  const clock = isLong ? takeClock(loaded, now, demand.rule) : undefined
  const state = isLong ? stateToUse(loaded, demand.rule, now, counters.hasOneClock) : loaded
  const rule = ruleFor(demand, demand.rule, state, now)
  const passed = fits(demand, rule, state, now)
  let started = false
  if (passed) applyDemand(demand, demand.cost, rule, state, counters, now, clock)
  else started = startCooldown(demand, rule, state, counters, now, clock)
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

/** The length of a bucket's state without a line and without a clock, and the longest of a window. */
const BUCKET_LENGTH = 5

// Shared by all evaluations, so they are never written.
const NONE: State = Object.freeze([]) as unknown as State
const NOTHING: readonly boolean[] = Object.freeze([])
const YES: readonly boolean[] = Object.freeze([true])
const NO: readonly boolean[] = Object.freeze([false])

/**
 * The numbers of a long counter. Refuses one of a later version of Halt, whose numbers it would misread. A line that is over counts
 * as removed, which some stores do at once and others later: nobody can have a place in it any more.
 */
function stateToUse(state: State, rule: Rule, now: number, hasOneClock = false): State {
  const algorithm = algorithmOf(rule)
  if (algorithm.reads?.(state) === false) throw unknownLayout(rule)
  if (algorithm.line === undefined) return state
  if (hasOneClock && state[1]! > now) state[1] = now
  return state.length > BUCKET_LENGTH && freshAt(state, rule) <= now ? [] : state
}

/** The rule by which a demand changes a counter. A correction leaves a bucket the numbers that it has, which may be newer. */
function ruleFor({ mode }: Demand, rule: Rule, state: State, now: number): Rule {
  if (mode !== Mode.SETTLE || state.length === 0) return rule
  return algorithmOf(rule).line?.correctedBy(state, now, rule) ?? rule
}

function fits(demand: Demand, rule: Rule, state: State, now: number): boolean {
  const { mode, cost, terms } = demand
  if (mode === Mode.SETTLE || mode >= Mode.GRANT) return true
  if (mode === Mode.BLOCK || now < blockedUntil(state)) return false
  if (terms?.place !== undefined) return true
  if (terms !== undefined) return fitsNeeded(demand, rule, state, now)
  return algorithmOf(rule).fits(state, now, cost, rule)
}

/**
 * Writes the charge, refund or grant of a demand that passes. A peek, a held demand or a cost of 0 writes nothing.
 *
 * @param isPlace whether the group gets a place in line
 */
function applyDemand(
  demand: Demand,
  units: number,
  rule: Rule,
  state: State,
  counters: Counters,
  now: number,
  clock?: VirtualClock,
  isPlace = false,
): void {
  const { mode } = demand
  if (mode === Mode.PEEK || mode === Mode.HOLD) return
  const changed = isAboutLine(demand) ? changeLine(demand, rule, state, now) : undefined
  if (changed === false || (changed === undefined && !charge(demand, units, rule, state, now, isPlace)))
    return
  if (state.length === 0) return
  if (state[0]! <= now) state[0] = 0
  keep(demand, rule, state, counters, now, clock)
}

/** Writes the counter of a demand, a pool together with its clock. */
function keep(
  { subject }: Demand,
  rule: Rule,
  state: State,
  counters: Counters,
  now: number,
  clock?: VirtualClock,
): void {
  const fresh = freshAt(state, rule)
  if (clock === undefined) return counters.keep(subject, rule.counter, state, fresh)
  const { state: stored, until } = withClock(state, clock, now, rule)
  counters.keep(subject, rule.counter, stored, Math.max(fresh, until))
}

/** Charges, refunds or grants units. False if there are none. */
function charge(
  demand: Demand,
  units: number,
  rule: Rule,
  state: State,
  now: number,
  isPlace: boolean,
): boolean {
  const { mode, edges, chargedTo, terms } = demand
  const cost = terms === undefined ? units : unitsOf(demand, units, rule, now)
  const algorithm = algorithmOf(rule)
  if (mode === Mode.RESET) return algorithm.restart?.(state, now) === true
  const isReleased = terms?.held !== undefined && algorithm.holds?.release(state, now, terms.held) === true
  if (cost === 0) return isReleased
  const later = mode === Mode.CHARGE ? (terms?.holdFor ?? 0) : 0
  const ttl = mode === Mode.SETTLE ? 0 : (terms?.ttl ?? 0)
  if (mode === Mode.GRANT) algorithm.grant?.(state, now, cost, rule, edges)
  else if (cost < 0) algorithm.refund(state, now, -cost, rule, chargedTo ?? 0)
  else if (isPlace && mode === Mode.CHARGE && algorithm.line !== undefined)
    algorithm.line.join(state, now, cost, rule)
  else if (later > 0 && algorithm.chargeLater !== undefined)
    algorithm.chargeLater(state, now, later, cost, rule)
  else if (ttl > 0 && algorithm.holds !== undefined) algorithm.holds.hold(state, now, cost, ttl, rule, edges)
  else algorithm.charge(state, now, cost, rule, edges)
  return true
}

/**
 * Writes the cool-down that a refusal starts. Returns whether it starts one. A refusal charges nothing. The normal rule decides
 * this: a cost that only the reduced rule can never admit passes after the penalty. A refusal in favour of others starts no cool-down.
 */
function startCooldown(
  demand: Demand,
  rule: Rule,
  state: State,
  counters: Counters,
  now: number,
  clock?: VirtualClock,
): boolean {
  const { cost, mode, rule: normal } = demand
  if (!isAsked(demand) || isReserved(demand, rule, state, now)) return false
  const prolongs = mode === Mode.BLOCK && normal.cooldown > 0 && now + rule.cooldown > blockedUntil(state)
  if (!prolongs && !startsCooldown(state, now, cost, normal)) return false
  if (state.length === 0) state.push(0, ...algorithmOf(rule).idle(now, rule))
  const { line } = algorithmOf(rule)
  // The time until now is paid, and the time of the cool-down is not: it freezes the line.
  line?.look(state, now, rule)
  state[0] = now + rule.cooldown
  line?.look(state, now, rule)
  keep(demand, rule, state, counters, now, clock)
  return true
}

/** Whether a refusal refuses a client: a peek asks for nothing. */
function isAsked({ mode }: Demand): boolean {
  return mode !== Mode.PEEK
}
