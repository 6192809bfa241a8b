import { algorithmOf } from '../algorithms/index.ts'
import { type Demand, type Group, Mode } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import type { Batch, Lease } from './lease.ts'

// A call that takes units must spare at least this many calls.
const FEWEST_CALLS = 4
/** The share of the units left that all processes together hold at most. */
const MOST_TOGETHER = 0.5

/** A call that takes units in advance. */
export interface Take {
  readonly group: Group
  /** How long this process may use the units, in microseconds from the moment at which the call is sent. */
  readonly hold: number
}

/**
 * Plans the call that takes the units which this process is likely to use soon, within its share of what is left. Returns undefined
 * if it would spare too few calls.
 *
 * The units of a bucket are charged as if they were used at the end of the time for which they are held. So they count in full
 * whenever they are used, and the bucket never admits too much. That costs up to `rate * hold` units; units and time together stay
 * within the share.
 *
 * @param instances the processes that share the store
 */
export function planTake(lease: Lease, now: number, instances: number): Take | undefined {
  const { rule, terms, subject, edges } = lease
  const algorithm = algorithmOf(rule)
  const { refills } = algorithm
  const share = Math.min(terms.share, MOST_TOGETHER / instances)
  // The time in which a whole capacity is paid back.
  const paidBackIn = refills ? (rule.capacity * rule.unit) / rule.rate : Number.POSITIVE_INFINITY
  const hold = Math.floor(Math.min(terms.idle, (share / 2) * paidBackIn))
  const left = algorithm.remaining(lease.state, lease.storeNow(now), rule)
  const most = Math.floor((share - hold / paidBackIn) * left) - lease.held(now)
  const expected = Math.ceil((lease.pace(now, hold / 4) * hold) / 2)
  const cost = Math.min(most, expected)
  if (!(cost >= FEWEST_CALLS * lease.usualCost)) return undefined
  const asked = { least: 1, keptFor: refills ? hold : undefined }
  const demand: Demand = { rule, subject, cost, mode: Mode.CHARGE, edges, penalized: false, terms: asked }
  return { group: { demands: [demand] }, hold }
}

/**
 * The batch that a store charged; undefined if it charged nothing.
 *
 * @param sent when the call was sent, by this process's clock in microseconds. The store charged later, so the batch does not expire
 * too late.
 */
export function batchOf(lease: Lease, evaluation: Evaluation, sent: number, hold: number): Batch | undefined {
  const { allowed, grants, now: takenAt, states } = evaluation
  const [units] = grants ?? []
  if (!allowed || units === undefined) return undefined
  const algorithm = algorithmOf(lease.rule)
  const [state = []] = states
  // Used in a later part of the counter, the units would count too early.
  const life = Math.min(hold, algorithm.partEnd(state, takenAt, lease.rule) - takenAt)
  const chargedTo = algorithm.chargedTo(state, takenAt, lease.rule)
  return { units, until: sent + life, takenAt, chargedTo, resets: lease.resets }
}

/** The group that gives units of a batch back; undefined if time has paid them all back. */
export function giveBack(
  { rule, subject, edges }: Lease,
  { takenAt, chargedTo }: Batch,
  units: number,
  storeNow: number,
): Group | undefined {
  const { refills } = algorithmOf(rule)
  if (units === 0 || (refills && (storeNow - takenAt) * rule.rate >= units * rule.unit)) return undefined
  const demand: Demand = {
    rule,
    subject,
    cost: -units,
    mode: Mode.SETTLE,
    edges,
    penalized: false,
    // What time has paid back since is not given back.
    chargedTo: refills ? takenAt : chargedTo,
  }
  return { demands: [demand] }
}
