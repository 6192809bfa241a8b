import { algorithmOf, type Place, shareCodes } from '../algorithms/index.ts'
import type { Check } from '../check/check.ts'
import { type Demand, type Group, Mode, PenaltyMode } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { evaluationAt, ruleInForce } from '../store/reading.ts'
import { poolAt } from '../store/shares.ts'
import type { TakenPlace } from './standing.ts'

/** Whether callers wait for the counter of a demand in line. Callers that leave a share to others ask again instead. */
export function canStand({ rule, mode, terms }: Demand): boolean {
  return mode !== Mode.SHADOW && !terms?.floor && algorithmOf(rule).line !== undefined
}

/** Whether a demand is about a tenant's share of a bucket. */
export function isTurn({ rule }: Demand): boolean {
  return rule.code === shareCodes['token-bucket']
}

/** Whether a demand is about a tenant's share of a bucket in whose line callers stand. It is charged together with the place. */
function isWithPlace({ demands }: Group, at: number): boolean {
  const pool = isTurn(demands[at]!) ? demands[poolAt(demands, at)] : undefined
  return pool !== undefined && canStand(pool)
}

/** Whether some counter of a check cannot be waited for in line, so that its callers ask for it when their turn has come. */
export function isMixed(check: Check): boolean {
  return check.demands.some(
    (demand, at) => demand.mode !== Mode.SHADOW && !canStand(demand) && !isWithPlace(check, at),
  )
}

/** The units of a check, for each counter that is waited for in line. */
export function unitsInLine({ demands }: Check): number[] {
  return demands.filter(canStand).map(({ cost }) => cost)
}

/** Whether a counter refuses in whose line a caller could stand. */
export function isRefusedInLine({ demands }: Check, { passes }: Evaluation): boolean {
  return demands.some((demand, i) => canStand(demand) && passes[i] !== true)
}

/** The time that units take, at the rate of the slowest counter of a check. Microseconds, at least 1. */
export function timeOf({ demands }: Check, units: readonly number[]): number {
  const times = demands.filter(canStand).map(({ rule }, i) => (units[i]! * rule.unit) / rule.rate)
  return Math.max(1, ...times)
}

/** The places that an evaluation gave at the end of the lines of a group; undefined for a counter without a line. */
export function endsOf({ demands }: Group, evaluation: Evaluation): (Place | undefined)[] {
  const ends = demands.flatMap((demand, i) => {
    if (!canStand(demand)) return []
    const rule = ruleInForce(demand, evaluation)
    const { now } = evaluationAt(evaluation, i)
    const reading = algorithmOf(rule).line!.read(evaluation.states[i] ?? [], now, rule)
    return [reading && { born: reading.born, position: reading.tail }]
  })
  // perf: bench "queue"; a list that grew has room for 16 more, and each caller keeps one.
  return ends.slice()
}

/** The part of a check that is waited for in line. */
export function partInLine(check: Check): Check {
  const demands = check.demands.filter((demand, at) => canStand(demand) || isWithPlace(check, at))
  return { ...check, policies: [], extras: undefined, ...groupOf(check, demand => demand), demands }
}

/** The check that redeems places: it charges only the counters that are not waited for in line. */
export function redeeming(check: Check, places: TakenPlace['places']): Check {
  let next = 0
  const demands = check.demands.map((demand, at) => {
    // The share was charged with the place.
    if (isWithPlace(check, at)) return { ...demand, mode: Mode.SETTLE, cost: 0 }
    const place = canStand(demand) ? places[next++] : undefined
    return place === undefined ? demand : { ...demand, terms: { ...demand.terms, place } }
  })
  return { ...check, demands }
}

/** The group that asks for news of the lines of a check. */
export function lookGroup(check: Check): Group {
  return groupOf(check, demand => ({ ...demand, mode: Mode.LOOK, cost: 0, terms: undefined }))
}

/** The group that gives back places which follow each other in line. */
export function leaveGroup(run: readonly TakenPlace[]): Group {
  const { check, places } = run.at(-1)!
  const units = sumOf(run)
  return groupOf(check, (demand, i) => ({
    ...demand,
    mode: Mode.SETTLE,
    cost: -units[i]!,
    terms: places[i] && { place: places[i] },
  }))
}

/**
 * The group that gives callers without a place the last places, in one block.
 *
 * @param started units in front of theirs that have started already, for each counter; empty for none
 */
export function blockGroup(
  callers: readonly Pick<TakenPlace, 'check' | 'units'>[],
  started: readonly number[],
): Group {
  const units = sumOf([...callers, { units: started }])
  const place = { position: 0, born: 0 }
  return groupOf(callers[0]!.check, (demand, i) => ({
    ...demand,
    mode: Mode.SETTLE,
    cost: units[i]!,
    terms: { place },
  }))
}

/** The group that charges units beside the place of a caller. Undefined if there are none. */
export function extraGroup(check: Check, units: readonly number[]): Group | undefined {
  const group = groupOf(check, (demand, i) => ({
    ...demand,
    mode: Mode.SETTLE,
    cost: units[i]!,
    terms: undefined,
  }))
  const demands = group.demands.filter(({ cost }) => cost > 0)
  return demands.length === 0 ? undefined : { ...group, demands }
}

function groupOf({ demands, penalty }: Check, change: (demand: Demand, i: number) => Demand): Group {
  return {
    demands: demands.filter(canStand).map(change),
    penalty: penalty && { ...penalty, mode: PenaltyMode.READ },
    idempotency: undefined,
  }
}

function sumOf(callers: readonly Pick<TakenPlace, 'units'>[]): number[] {
  const sums: number[] = []
  for (const { units } of callers) for (const [i, own] of units.entries()) sums[i] = (sums[i] ?? 0) + own
  return sums
}
