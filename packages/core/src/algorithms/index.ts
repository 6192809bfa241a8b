import { concurrency } from './concurrency.ts'
import { fixedWindow } from './fixed-window.ts'
import { permitShare } from './permit-share.ts'
import { quota } from './quota.ts'
import type { Algorithm } from './algorithm.ts'
import type { AlgorithmCode, Rule, State } from './rule.ts'
import { slidingWindow } from './sliding-window.ts'
import { tokenBucket } from './token-bucket.ts'
import { turnShare } from './turn-share.ts'

/** The algorithms by their code. ARCHITECTURE.md says how to add one. */
export const algorithms: Readonly<Record<AlgorithmCode, Algorithm>> = {
  t: tokenBucket,
  f: fixedWindow,
  s: slidingWindow,
  c: concurrency,
  q: quota,
  v: turnShare,
  h: permitShare,
}

/** The algorithm of a rule. The token bucket, the default, needs no look-up in the table. */
export function algorithmOf({ code }: { readonly code: AlgorithmCode }): Algorithm {
  return code === 't' ? tokenBucket : algorithms[code]
}

export { type Edges, periodEnd, type Algorithm, type LastCharge, type Layout } from './algorithm.ts'
export { grantedAt } from './quota.ts'
export type { HeldUnits } from './holds.ts'
export { leavesAt } from './sliding-window.ts'
export { abuseScore, type PenaltyRule } from './abuse-score.ts'
export { codes, MAX_EXACT, MOST_COST, MOST_COUNTED, MOST_UNITS, mostOwed, shareCodes } from './rule.ts'
export { isInLine, type LineReading, NOBODY_AHEAD, type Place, speedUp, timeToPay } from './line.ts'
export { newClock, paceOf, takeClock, type VirtualClock, withClock } from './virtual-clock.ts'
export {
  correctTurn,
  giveTicket,
  isTurn,
  levelAt,
  leadOf,
  takeTurn,
  type Ticket,
  ticketIn,
  type TenantRequest,
  withReading,
  type Lead,
  shareRuleOf,
} from './turn-share.ts'
export { mayHold, mostToHold, permitLevel, waitToHold } from './permit-share.ts'
export { debtAt } from './token-bucket.ts'
export type { AlgorithmCode, Rule, State } from './rule.ts'

/** The instant at which a counter's cool-down ends, microseconds; 0 when it has none. */
export function blockedUntil(state: State): number {
  return state.length === 0 ? 0 : state[0]!
}

/** The instant from which a counter, its cool-down included, equals a fresh one. Microseconds. */
export function freshAt(state: State, rule: Rule): number {
  const fresh = algorithmOf(rule).freshAt(state)
  const cooldown = blockedUntil(state)
  return fresh > cooldown ? fresh : cooldown
}
