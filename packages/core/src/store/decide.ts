import {
  MAX_EXACT,
  type Rule,
  type State,
  abuseScore,
  algorithmOf,
  freshAt,
  takeClock,
} from '../algorithms/index.ts'
import { listOf } from '../base/bounded-memory.ts'
import { Admitted, SHORT_LENGTH } from './admitted.ts'
import { Claim } from './claim.ts'
import { type Demand, type Group, Mode } from './contract.ts'
import { type Counters } from './counter-key.ts'
import { unknownLayout } from './evaluation-check.ts'
import { type Evaluation, NO, NONE, NOTHING, YES } from './evaluation.ts'
import { countsRepeats, isRepeat, keepsKey, loadPenalty, remember, scorePenalty } from './beside-demands.ts'
import { ShareClaim } from './share-claim.ts'
import { hasLeast, isDemandAlone } from './terms.ts'

/**
 * Decides a group. Every store runs this loop, or a mirror of it in its own language: reads the claims of its demands, finds who
 * passes, finds when it may start, takes or refuses, and keeps what changed.
 *
 * All charges are written, or only the cool-downs that start. The penalty is read first, because an active penalty replaces rules by
 * their reduced form; it is scored last.
 */
export function decide(group: Group, counters: Counters, now: number): Evaluation {
  const { demands, penalty, idempotency } = group
  const [only] = demands
  if (demands.length === 1 && penalty === undefined && idempotency === undefined && only!.terms === undefined)
    return decideOne(only!, counters, now)
  const penaltyState = penalty === undefined ? NONE : loadPenalty(penalty, counters, now)
  const isPenalized = penaltyState.length > 0 && abuseScore.active(penaltyState, now)
  const repeated = idempotency !== undefined && isRepeat(idempotency, counters, now)

  const claims: Claim[] = listOf(demands.length)
  let [hasTerms, hasShares] = [false, false]
  for (let i = 0; i < demands.length; i++) {
    claims[i] = claimOf(demands[i]!, counters, now, isPenalized)
    const { terms } = demands[i]!
    if (terms !== undefined) hasTerms = true
    if (terms?.share !== undefined) hasShares = true
  }
  let allowed = true
  let violates = false
  for (let i = 0; i < claims.length; i++) {
    const claim = claims[i]!
    claim.passes = (repeated && !countsRepeats(claim.rule)) || claim.fits()
    if (claim.passes || !claim.isEnforced) continue
    allowed = false
    // A peek asks for nothing.
    if (claim.demand.mode !== Mode.PEEK) violates = true
  }

  const start = hasTerms && violates ? startOf(claims, idempotency !== undefined) : undefined
  const joining = start?.joining
  if (start !== undefined) {
    violates = false
    allowed = joining !== undefined
    if (allowed) for (const claim of claims) claim.passes ||= claim.isEnforced
  }
  const grants = hasTerms && allowed ? grantsOf(claims, start !== undefined) : undefined

  const passes: boolean[] = listOf(demands.length)
  const states: State[] = listOf(demands.length)
  let starts: boolean[] | undefined
  for (let i = 0; i < claims.length; i++) {
    const claim = claims[i]!
    const isIdle = repeated && !countsRepeats(claim.rule)
    passes[i] = claim.passes
    if (isIdle) {
      // It was charged by the call that it repeats.
    } else if (claim.passes) {
      if (allowed && claim.take(grants?.[i] ?? demands[i]!.cost, claim === joining)) claim.keep(counters)
    } else if (start !== undefined) {
      if (claim.promise()) claim.keep(counters)
    } else if (claim.refuse()) {
      claim.keep(counters)
      starts ??= demands.map(() => false)
      starts[i] = true
    }
    states[i] = claim.state
  }

  if (penalty !== undefined) scorePenalty(penalty, penaltyState, counters, now, violates)
  if (idempotency !== undefined && allowed && !repeated && keepsKey(group, passes))
    remember(idempotency, counters, now)
  if (joining !== undefined && isDemandAlone(group))
    // perf: bench "queue"; a state that grew has room for more, and each caller that waits keeps one.
    return new Admitted(now, joining.rule, joining.state[2], joining.state.slice(), start!.wait)
  const evaluation = {
    now,
    allowed,
    repeated,
    passes,
    starts: starts ?? NOTHING,
    states,
    penalty: penaltyState,
  }
  if (!hasTerms) return evaluation
  const terms = { startsIn: start?.wait, grants: hasLeast(demands) ? grants : undefined }
  return hasShares
    ? { ...evaluation, ...terms, shares: claims.map(({ share }) => share) }
    : { ...evaluation, ...terms }
}

// perf: bench "@halt/store-memory, token bucket"; one demand alone is the most common group, and needs no lists.
function decideOne(demand: Demand, counters: Counters, now: number): Evaluation {
  const claim = claimOf(demand, counters, now, false)
  const passed = claim.fits()
  const isChanged = passed ? claim.take(demand.cost, false) : claim.refuse()
  if (isChanged) claim.keep(counters)
  return {
    now,
    allowed: passed || !claim.isEnforced,
    repeated: false,
    passes: passed ? YES : NO,
    starts: isChanged && !passed ? YES : NOTHING,
    states: [claim.state],
    penalty: NONE,
  }
}

/** Reads the counter of a demand, and finds the rule in force. */
function claimOf(demand: Demand, counters: Counters, now: number, isPenalized: boolean): Claim {
  const own = isPenalized && demand.penalized ? (demand.rule.reduced ?? demand.rule) : demand.rule
  const { subject } = demand
  const loaded = counters.load(subject, own.counter, own)
  const clock = loaded.length > SHORT_LENGTH ? takeClock(loaded, now, own) : undefined
  // Without its clock the counter may be short.
  const state = loaded.length > SHORT_LENGTH ? stateToUse(loaded, own, now, counters.hasOneClock) : loaded
  const rule = ruleFor(demand, own, state, now)
  // perf: bench "limiter.check(request)"; a class that is a value would not be inlined.
  const share = demand.terms?.share
  if (share === undefined) return new Claim(demand, rule, state, now, clock)
  const tenant = counters.load(subject, share.rule.counter, share.rule)
  if (algorithmOf(share.rule).reads?.(tenant) === false && tenant.length > 0) throw unknownLayout(share.rule)
  return new ShareClaim(demand, rule, state, now, clock, tenant)
}

/**
 * The numbers of a long counter. Refuses one of a later version of Halt, whose numbers it would misread. A line that is over counts
 * as removed, which some stores do at once and others later: nobody can have a place in it any more.
 */
function stateToUse(state: State, rule: Rule, now: number, hasOneClock = false): State {
  const algorithm = algorithmOf(rule)
  if (algorithm.reads?.(state) === false) throw unknownLayout(rule)
  if (algorithm.line === undefined) return state
  if (hasOneClock && state[1]! > now) state[1] = now
  return state.length > SHORT_LENGTH && freshAt(state, rule) <= now ? [] : state
}

/** The rule by which a demand changes a counter. A correction leaves a bucket the numbers that it has, which may be newer. */
function ruleFor({ mode }: Demand, rule: Rule, state: State, now: number): Rule {
  if (mode !== Mode.SETTLE || state.length === 0) return rule
  return algorithmOf(rule).line?.correctedBy(state, now, rule) ?? rule
}

/** When a group that is not admitted at once may start. */
interface Start {
  /** Microseconds from now. */
  readonly wait: number
  /** The claim whose place in line is charged now. Undefined if there is none; then the caller asks again after the wait. */
  readonly joining: Claim | undefined
}

/**
 * Finds when a refused group may start. Undefined if it must stay refused.
 *
 * A group gets a place if one bucket is all that it still needs: its caller stands in one line at a time.
 *
 * @param hasKey whether the group has an idempotency key. It then gets no place, because the place would be paid: a call that repeats
 * the key would pass, and the caller could give its place back.
 */
function startOf(claims: readonly Claim[], hasKey: boolean): Start | undefined {
  const charged = claims.filter(({ isCharged }) => isCharged)
  let joining = !hasKey && charged.length === 1 && charged[0]!.canJoin ? charged[0] : undefined
  const candidate = joining
  let wait = 0
  for (const claim of claims) {
    if (claim.passes || !claim.isEnforced) continue
    const own = claim.wait(claim === candidate)
    if (own === undefined) return undefined
    if (own > wait) wait = own
    const { rate, capacity, unit } = claim.rule
    const isExact = own * rate + (capacity + claim.demand.cost) * unit <= MAX_EXACT
    if (claim !== candidate || !isExact) joining = undefined
  }
  return { wait, joining }
}

/**
 * The units that each demand of an admitted group gets. Demands that accept fewer than their cost get as many as the counter with
 * the fewest has left, so that all charge for the same work, but none gets fewer than it accepts.
 *
 * @param startsLater whether the group starts later; then it gets the fewest units that it accepts
 */
function grantsOf(claims: readonly Claim[], startsLater: boolean): number[] {
  const left = claims.map(claim => {
    const { terms, cost } = claim.demand
    return terms?.least === undefined ? cost : startsLater ? terms.least : claim.most
  })
  let most = Number.POSITIVE_INFINITY
  for (const [i, { isEnforced, demand }] of claims.entries())
    if (isEnforced && left[i]! < demand.cost) most = Math.min(most, left[i]!)
  return claims.map(({ demand: { terms, cost }, passes }, i) =>
    terms?.least === undefined || !passes ? cost : Math.max(terms.least, Math.min(left[i]!, most)),
  )
}
