import { algorithmOf, MAX_EXACT, type Rule, type State } from '../algorithms/index.ts'
import { type Demand, type Group, Mode } from './contract.ts'
import { blockedUntil } from './cooldown.ts'
import type { Shares } from './shares.ts'

// A share of a capacity is not exact in doubles, and must not leave a unit too many.
const ROUNDING = 1e-6

/** The units that a demand must leave to others. */
export function unitsLeftToOthers({ terms }: Demand, { capacity }: Rule): number {
  return unitsOfShare(terms?.floor ?? 0, capacity)
}

/** The whole units that a share of a capacity leaves to others. */
export function unitsOfShare(share: number, capacity: number): number {
  return share > 0 ? Math.ceil(share * capacity - ROUNDING) : 0
}

/** The units of a demand that its call still holds, so that they need no room. */
function unitsHeld({ terms }: Demand, rule: Rule, state: State, now: number): number {
  const held = terms?.held
  return held === undefined ? 0 : (algorithmOf(rule).holds?.still(state, now, held) ?? 0)
}

/** Whether the units fit that must be left for a demand to pass. Ignores the cool-down. */
export function fitsNeeded(demand: Demand, rule: Rule, state: State, now: number): boolean {
  const held = unitsHeld(demand, rule, state, now)
  if (held > 0 && fewest(demand) <= held) return true
  return algorithmOf(rule).fits(state, now, unitsNeeded(demand, rule, held), rule)
}

/**
 * The units that must be left for a demand to pass: the fewest that it accepts, and the units that it leaves to others.
 *
 * @param held the units that its call still holds
 */
function unitsNeeded(demand: Demand, rule: Rule, held: number): number {
  return fewest(demand) - held + unitsLeftToOthers(demand, rule)
}

function fewest({ terms, cost }: Demand): number {
  return terms?.least ?? cost
}

/** Whether a demand that does not pass would pass if it left nothing to others. */
export function isReserved(demand: Demand, rule: Rule, state: State, now: number): boolean {
  const { terms, mode } = demand
  if (terms?.floor === undefined || mode === Mode.BLOCK || now < blockedUntil(state)) return false
  return algorithmOf(rule).fits(state, now, fewest(demand) - unitsHeld(demand, rule, state, now), rule)
}

/** A group while it is decided: its demands, and, by their indexes, the rules in force, the counters, and who passes. */
export interface Decided {
  readonly demands: readonly Demand[]
  readonly rules: readonly Rule[]
  readonly states: readonly State[]
  readonly passes: boolean[]
  /** The shares that its demands have of pools. */
  readonly shares: Shares | undefined
}

/** When a group that is not admitted at once may start. */
export interface Start {
  /** Microseconds from now. */
  readonly wait: number
  /** Whether the group's place can be charged now. Otherwise the caller asks again after the wait. */
  readonly isPlace: boolean
}

/**
 * Finds when a refused group may start. Returns undefined if it must stay refused.
 *
 * A group gets a place if one bucket is all that it still needs: its caller stands in one line at a time.
 *
 * @param hasKey whether the group has an idempotency key. It then gets no place, because the place would be paid: a call that repeats
 * the key would pass, and the caller could give its place back.
 */
export function startOf(decided: Decided, now: number, hasKey: boolean): Start | undefined {
  const { demands, rules, states, passes, shares } = decided
  const joining = hasKey ? -1 : joiningAt(decided)
  let wait = 0
  let isPlace = joining >= 0
  for (let i = 0; i < demands.length; i++) {
    const [demand, rule] = [demands[i]!, rules[i]!]
    if (passes[i] || demand.mode === Mode.SHADOW || shares?.isForTurn(i)) continue
    const own = waitOf(demand, rule, states[i]!, now, i === joining, demand.terms?.share && shares?.wait(i))
    if (own === undefined) return undefined
    if (own > wait) wait = own
    const isExact = own * rule.rate + (rule.capacity + demand.cost) * rule.unit <= MAX_EXACT
    if (i !== joining || !isExact) isPlace = false
  }
  return { wait, isPlace }
}

/** The index of the bucket that a group still needs, if that is all; otherwise -1. A tenant whose turn has come stands in the line of its pool. */
function joiningAt({ demands, rules, passes }: Decided): number {
  let at = -1
  for (const [i, demand] of demands.entries()) {
    const { mode, terms } = demand
    if (
      mode === Mode.SHADOW ||
      terms?.place !== undefined ||
      (terms?.share !== undefined && passes[i] === true)
    )
      continue
    if (at >= 0 || !canJoin(demand, rules[i]!)) return -1
    at = i
  }
  return at
}

/**
 * Whether a demand can get a place in line. One that leaves units to more important callers gets no place, because these would then
 * stand behind it.
 */
function canJoin(demand: Demand, rule: Rule): boolean {
  return (
    demand.mode === Mode.CHARGE &&
    algorithmOf(rule).line !== undefined &&
    unitsLeftToOthers(demand, rule) === 0
  )
}

/** How long a demand that does not pass would wait; undefined if it does not wait that long. @param toShare how long for its share */
function waitOf(
  demand: Demand,
  rule: Rule,
  state: State,
  now: number,
  canStand: boolean,
  toShare: number | undefined,
): number | undefined {
  const maxWait = demand.terms?.maxWait ?? 0
  // A block is not a caller that could wait.
  if (maxWait === 0 || demand.mode === Mode.BLOCK) return undefined
  const cooldown = blockedUntil(state) - now
  const algorithm = algorithmOf(rule)
  const units = unitsNeeded(demand, rule, unitsHeld(demand, rule, state, now))
  const wait =
    toShare ??
    (canStand
      ? algorithm.line!.wait(state, now, units, rule)
      : Math.max(algorithm.wait(state, now, units, rule), cooldown))
  if (wait <= maxWait) return wait
  // A place in flight may become free at any time.
  return algorithm.isFlight && wait < Number.POSITIVE_INFINITY && cooldown <= maxWait ? maxWait : undefined
}

/**
 * The units that each demand of an admitted group gets. Demands that accept fewer than their cost get as many as the counter with
 * the fewest has left, so that all charge for the same work, but none gets fewer than it accepts.
 *
 * @param isPlace whether the group starts later; then it gets the fewest units that it accepts
 */
export function grantsOf(
  { demands, rules, states, passes, shares }: Decided,
  now: number,
  isPlace: boolean,
): number[] {
  const left = demands.map((demand, i) => {
    if (demand.terms?.least === undefined) return demand.cost
    if (isPlace) return demand.terms.least
    const units = shares?.left(i) ?? algorithmOf(rules[i]!).remaining(states[i]!, now, rules[i]!)
    const held = unitsHeld(demand, rules[i]!, states[i]!, now)
    return Math.min(demand.cost, Math.max(held, units + held - unitsLeftToOthers(demand, rules[i]!)))
  })
  let most = Number.POSITIVE_INFINITY
  for (const [i, { mode, cost }] of demands.entries())
    if (mode !== Mode.SHADOW && left[i]! < cost) most = Math.min(most, left[i]!)
  return demands.map(({ terms, cost }, i) =>
    terms?.least === undefined || passes[i] !== true ? cost : Math.max(terms.least, Math.min(left[i]!, most)),
  )
}

/** The units that a demand which passes adds to its counter, or takes from it. */
export function unitsOf({ terms }: Demand, cost: number, rule: Rule, now: number): number {
  const since = terms?.heldSince ?? 0
  if (since === 0 || cost >= 0 || !algorithmOf(rule).refills) return cost
  const paidBack = Math.ceil((Math.max(0, now - since) * rule.rate) / rule.unit)
  return Math.min(0, cost + paidBack)
}

/** Whether a group is one bucket whose counter tells the whole evaluation. */
export function isDemandAlone({ demands, penalty, idempotency }: Group): boolean {
  if (demands.length > 1 || penalty !== undefined || idempotency !== undefined) return false
  const { least, floor } = demands[0]?.terms ?? {}
  // The counter tells neither the units granted nor those left to others.
  return least === undefined && !floor
}

/** Lets every enforced demand of a group pass, because the group starts later. */
export function admitLater({ demands, passes }: Decided): void {
  for (let i = 0; i < demands.length; i++) if (demands[i]!.mode !== Mode.SHADOW) passes[i] = true
}

/** Whether some demand accepts fewer units than its cost. */
export function hasLeast(demands: readonly Demand[]): boolean {
  return demands.some(({ terms }) => terms?.least !== undefined)
}
