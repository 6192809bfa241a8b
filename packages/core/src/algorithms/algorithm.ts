import type { HeldUnits } from './holds.ts'
import type { LineReading, Place } from './line.ts'
import type { Rule, State } from './rule.ts'

/** The calendar instants around now: the start and end of the present period, and the end of the next one. Microseconds. */
export type Edges = readonly [start: number, end: number, nextEnd: number]

/**
 * The end of the period that contains `now`.
 *
 * The application's clock chose the edges, and `now` is the store's clock, which may be in the period before or after. For an
 * instant outside the edges, periods as long as the nearest known one are assumed in both directions, so that every instant
 * has a period.
 */
export function periodEnd([start, end, nextEnd]: Edges, now: number): number {
  if (now < start) return start - Math.floor((start - now - 1) / (end - start)) * (end - start)
  if (now < end) return end
  if (now < nextEnd) return nextEnd
  return nextEnd + (Math.floor((now - nextEnd) / (nextEnd - end)) + 1) * (nextEnd - end)
}

/** How an algorithm's state is laid out behind the cool-down. A store that packs states must know it. */
export type Layout =
  /** An instant, a debt, a unit and a rate; while callers wait, their line. */
  | 'bucket'
  /** The end of the window, the units used in it; in a quota's counter then the units granted, and the holds, if it has any. */
  | 'window'
  /** Pairs of an instant and the units that stop counting at that instant. */
  | 'sub-windows'
  /** The instant at which it is forgotten, a tag, and the epoch of the tag's clock. */
  | 'tag'

/** The facts about the last charge of a counter. Instants are microseconds. */
export interface LastCharge {
  /** It was at this instant or later. Undefined if no charge counts any more. */
  readonly from: number | undefined
  /** It was at this instant or earlier. */
  readonly to: number
  /** Whether it was made by the numbers of the rule. Undefined where states do not tell. */
  readonly isOwn: boolean | undefined
}

/**
 * One algorithm: arithmetic without a clock or I/O, and the facts about the algorithm that other files need. Those files ask
 * for the fact instead of comparing codes, so that a new algorithm stays in one file.
 */
export interface Algorithm {
  readonly layout: Layout
  /** Whether charged units flow back continuously, at the rate in force. */
  readonly refills: boolean
  /** Whether its counters are quotas. A quota ends at calendar instants, takes grants, and is written back after an outage. */
  readonly isQuota: boolean
  /** Whether its units are requests in flight. A release frees a unit early, and a repeated call takes a unit of its own. */
  readonly isFlight: boolean
  /** Whether a state has no numbers but those that this version of Halt knows. Absent if its length tells nothing. */
  reads?(state: State): boolean
  /** Whether `cost` units fit at `now`. Ignores the cool-down. */
  fits(state: State, now: number, cost: number, rule: Rule): boolean
  /** Charges `cost` units at `now` without testing whether they fit. Changes `state` in place. */
  charge(state: State, now: number, cost: number, rule: Rule, edges?: Edges): void
  /** How callers wait for a counter in line. Only where {@link refills}. */
  readonly line?: LineSteps
  /**
   * Charges `cost` units that may be used until `time` microseconds after `now`, without testing whether they fit. A bucket admits
   * nobody else in front of a use at the end of this time. A quota holds them. Undefined where units are used at once.
   */
  chargeFor?(state: State, now: number, cost: number, time: number, rule: Rule, edges?: Edges): void
  /** How calls hold units before they use them. Quotas only. */
  readonly holds?: HoldSteps
  /**
   * Forgets the units used in the window that is open. A {@link refund} of an older charge does nothing afterwards. Windows of a key
   * only. Returns whether one was open.
   */
  restart?(state: State, now: number): boolean
  /** Adds `amount` units to the limit of the present period. Quotas only. */
  grant?(state: State, now: number, amount: number, rule: Rule, edges?: Edges): void
  /** The numbers of a counter without charged units, behind its cool-down. */
  idle(now: number, rule: Rule): readonly number[]
  /** Reads the facts about the last charge from a state. */
  lastCharge(state: State, now: number, rule: Rule, edges?: Edges): LastCharge
  /**
   * Gives back at most `amount` of the units that were charged to `chargedTo` and still count. While callers wait, the units bring
   * them forward evenly, within about a second.
   */
  refund(state: State, now: number, amount: number, rule: Rule, chargedTo: number): void
  /** The instant from which `state` equals a fresh one, its cool-down ignored. Microseconds. */
  freshAt(state: State): number
  /** The units per window allowed at `now`, grants included. */
  limit(state: State, now: number, rule: Rule): number
  /** The units that count at `now`, rounded up. */
  used(state: State, now: number, rule: Rule): number
  /** The whole units left at `now`, at least 0. */
  remaining(state: State, now: number, rule: Rule): number
  /** Microseconds from `now` until `cost` units fit if no other request comes; `Infinity` when they never will. */
  wait(state: State, now: number, cost: number, rule: Rule): number
  /** Names the part of the counter that a charge at `now` goes to; 0 if it has no parts. A later {@link refund} passes it back. */
  chargedTo(state: State, now: number, rule: Rule): number
  /** The instant until which every charge goes to the same part of the counter as one at `now`; `Infinity` if it has no parts. */
  partEnd(state: State, now: number, rule: Rule): number
  /** How long after a charge a correction of it still changes the counter, in microseconds. */
  correctableFor(rule: Rule): number
}

/** The arithmetic of units that calls hold. */
interface HoldSteps {
  /** The units held at `now`. */
  held(state: State, now: number): number
  /** The units of a hold that are still held at `now`. */
  still(state: State, now: number, held: HeldUnits): number
  /** Gives back the units of a hold that are still held. Changes `state` in place. Returns whether there were any. */
  release(state: State, now: number, held: HeldUnits): boolean
  /** The instant at which units end that were held at `now`, in microseconds. `state` is the one after that. */
  end(state: State, now: number, ttl: number): number
}

/** The arithmetic of callers that wait in line. All methods but the readings change `state` in place. */
interface LineSteps {
  /** Microseconds from `now` until a caller that joins with `cost` units may start; `Infinity` if it never may. */
  wait(state: State, now: number, cost: number, rule: Rule): number
  /** Gives a caller a place behind all others: charges its units at once. */
  join(state: State, now: number, cost: number, rule: Rule): void
  /** Removes a place, so that those behind it move up. A place that the line does not have was at its turn: its units are given back. */
  leave(state: State, now: number, cost: number, place: Place, rule: Rule): void
  /** Pays the line up to `now`, and takes over the numbers of `rule`. Does nothing without a line. */
  look(state: State, now: number, rule: Rule): void
  /** Ends the cool-down of a line, which goes on where it was. Does nothing without a line. */
  thaw(state: State, now: number, rule: Rule): void
  /** Ends the cool-down, and lets a capacity start at once. The line stays. Without a line the counter is fresh afterwards. */
  reset(state: State, now: number, rule: Rule): void
  /** A rule with the unit and the rate of a line. */
  termsOf(state: State, rule: Rule): Rule
  /** A rule with the unit and the rate of a counter, for a correction: it must not bring the numbers of its charge back. */
  correctedBy(state: State, now: number, rule: Rule): Rule
  /** Reads the line at `now`. Undefined if there is none. */
  read(state: State, now: number, rule: Rule): LineReading | undefined
}
