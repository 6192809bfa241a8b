// Places of callers in the lines of buckets, and the groups that take them, give them back and look at them.
import { algorithmOf, isInLine, NOBODY_AHEAD, type Place } from '../algorithms/index.ts'
import type { Check } from '../check/check.ts'
import { type Demand, type Group, Mode, PenaltyMode } from '../store/contract.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt, isShareDue, ruleInForce, waitFor } from '../store/reading.ts'
import { shareIn } from '../store/terms.ts'

/** A place that a caller has in the line of one counter, or whose turn has come. */
export interface TakenPlace {
  readonly check: Check
  /** The index of the demand on the counter. */
  readonly at: number
  readonly place: Place
}

/** Whether callers can wait for the demand at an index in line. Callers that leave a share to others ask again instead. */
function canStand({ demands }: Group, at: number): boolean {
  const { rule, mode, terms } = demands[at]!
  return (
    mode === Mode.CHARGE &&
    !terms?.headroom &&
    terms?.place === undefined &&
    algorithmOf(rule).line !== undefined
  )
}

/**
 * The index of the bucket in whose line a refused caller stands next; -1 if it asks again later, because something that has no line
 * lets it start last. A tenant stands in the line of a shared bucket when its turn has come, which it asks for.
 *
 * A caller of several buckets passes their lines from the slowest to the fastest. So it never keeps units of a fast bucket, which
 * others could use, while it waits for a slow one.
 */
export function nextInLine(check: Check, evaluation: Evaluation): number {
  const { demands, idempotency } = check
  if (idempotency !== undefined) return -1
  let [last, longest] = [-1, -1]
  for (const [i, demand] of demands.entries()) {
    if (evaluation.passes[i] === true || demand.mode === Mode.SHADOW) continue
    if (!isShareDue(demand, i, evaluation)) return -1
    const wait = waitFor(demand, evaluation.states[i] ?? [], evaluationAt(evaluation, i))
    if (wait > longest) [last, longest] = [i, wait]
  }
  if (last < 0 || !canStand(check, last)) return -1
  const buckets = [...demands.keys()].filter(at => canStand(check, at))
  return buckets.reduce((slowest, at) =>
    unitTime(demands[at]!) > unitTime(demands[slowest]!) ? at : slowest,
  )
}

/** The time that a unit takes, whatever the cost: all callers pass the lines in one order, and no two wait for each other's units. */
function unitTime({ rule }: Demand): number {
  return rule.unit / rule.rate
}

/**
 * The index of the bucket for which the store gives a caller of a check its place at once, because it is all that the caller still
 * needs; -1 if there is none.
 */
export function loneAt({ demands }: Group): number {
  let lone = -1
  for (const [at, { mode, terms }] of demands.entries()) {
    if (mode === Mode.SHADOW || terms?.place !== undefined) continue
    if (lone >= 0 || !canStand({ demands }, at)) return -1
    lone = at
  }
  return lone
}

/** The place that an evaluation gave at the end of the line of the demand at an index. */
export function endOf({ demands }: Group, at: number, evaluation: Evaluation): Place {
  const rule = ruleInForce(demands[at]!, evaluation)
  const { now } = evaluationAt(evaluation, at)
  const reading = algorithmOf(rule).line!.read(evaluation.states[at] ?? [], now, rule)
  return reading === undefined ? NOBODY_AHEAD : { born: reading.born, position: reading.tail }
}

/** The check that charges only the counters in whose lines the turn of the caller has not come. */
export function withPlaces(check: Check, taken: readonly TakenPlace[]): Check {
  if (taken.length === 0) return check
  const ownOf = (demand: Demand): TakenPlace | undefined =>
    taken.find(one => keyOfDemand(demandOf(one)) === keyOfDemand(demand))
  const demands = check.demands.map((demand): Demand => {
    const own = ownOf(demand)
    // What was charged with the place is what a settlement corrects.
    return own === undefined
      ? demand
      : { ...demand, cost: demandOf(own).cost, terms: { ...demand.terms, place: own.place } }
  })
  return { ...check, demands }
}

/** The group that asks for a place in the line of one counter. */
export function joinGroup(caller: Pick<TakenPlace, 'check' | 'at'>, maxWait: number): Group {
  return settling(caller, { mode: Mode.CHARGE, terms: { ...demandOf(caller).terms, maxWait } })
}

/** The group that asks for news of a line. */
export function lookGroup(caller: Pick<TakenPlace, 'check' | 'at'>): Group {
  return settling(caller, { mode: Mode.LOOK, cost: 0, terms: undefined })
}

/** The group that gives back places which follow each other in line. */
export function leaveGroup(run: readonly TakenPlace[]): Group {
  const last = run.at(-1)!
  return settling(last, { cost: -unitsOf(run), terms: { ...shareIn(demandOf(last)), place: last.place } })
}

/** The group that gives back places whose turn has come, and which nobody has used. */
export function unusedGroup(taken: readonly TakenPlace[]): Group {
  return { demands: taken.flatMap(one => leaveGroup([one]).demands) }
}

/**
 * The group that gives callers the last places of a line, in one block.
 *
 * @param started units in front of theirs that have started already
 */
export function placeGroup(callers: readonly Pick<TakenPlace, 'check' | 'at'>[], started: number): Group {
  return settling(callers[0]!, { cost: unitsOf(callers) + started, terms: { place: NOBODY_AHEAD } })
}

/** The units of callers in one line. */
function unitsOf(callers: readonly Pick<TakenPlace, 'check' | 'at'>[]): number {
  return callers.reduce((sum, caller) => sum + demandOf(caller).cost, 0)
}

/** The time that the units of a demand take, at its rate. Microseconds, at least 1. */
export function timeOf({ rule, cost }: Demand): number {
  return Math.max(1, (cost * rule.unit) / rule.rate)
}

/** Callers whose places follow each other, in one list for each run. */
export function neighbours(callers: readonly TakenPlace[]): TakenPlace[][] {
  const runs: TakenPlace[][] = []
  for (const caller of callers) {
    const run = runs.at(-1)
    if (run !== undefined && follows(caller, run.at(-1)!)) run.push(caller)
    else runs.push([caller])
  }
  return runs
}

function follows(caller: TakenPlace, { place }: TakenPlace): boolean {
  return (
    isInLine(place) &&
    caller.place.born === place.born &&
    caller.place.position - demandOf(caller).cost === place.position
  )
}

function demandOf({ check, at }: Pick<TakenPlace, 'check' | 'at'>): Demand {
  return check.demands[at]!
}

function settling({ check, at }: Pick<TakenPlace, 'check' | 'at'>, change: Partial<Demand>): Group {
  const { demands, penalty } = check
  return {
    demands: [{ ...demands[at]!, mode: Mode.SETTLE, ...change }],
    penalty: penalty && { ...penalty, mode: PenaltyMode.READ },
  }
}
