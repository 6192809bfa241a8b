import { algorithms, type AlgorithmCode, type Layout, type PenaltyRule } from '../../algorithms/index.ts'
import type { Demand, Group, Terms } from '../../store/contract.ts'
import { poolAt } from '../../store/shares.ts'
import { isPlainGroup } from '../../store/plain-groups.ts'

// The compiler asks for the kind of a new layout. Each server that decides by itself has its arithmetic.
const KINDS: Readonly<Record<Layout, number>> = { bucket: 0, window: 1, 'sub-windows': 2, tag: 4 }
// Sub-windows of requests in flight, because a repeated call takes a permit of its own.
const IN_FLIGHT = 3

/** The kind of a token bucket. */
export const BUCKET: number = KINDS.bucket
/** The kind of a fixed window and of a quota. */
export const WINDOW: number = KINDS.window
/** The kind of a tenant's share of a token bucket. */
export const TAG: number = KINDS.tag

/** The kind of arithmetic of each algorithm, as a number that is sent to a server. */
export const ALGORITHM_KINDS: Readonly<Record<AlgorithmCode, number>> = Object.fromEntries(
  Object.entries(algorithms).map(([code, { layout, isFlight }]) => [
    code,
    isFlight ? IN_FLIGHT : KINDS[layout],
  ]),
) as Record<AlgorithmCode, number>

/** Whether a group is the charge of one bucket and nothing else, the commonest. */
export function isLoneBucket(group: Group): boolean {
  return group.demands.length === 1 && group.demands[0]!.rule.code === 't' && isPlainGroup(group)
}

/** The numbers of a penalty's rule, in the order in which a server reads them. */
export function penaltyNumbers(rule: PenaltyRule): number[] {
  const { threshold, duration, decay, severity, cooldown, factor, maxDuration } = rule
  return [threshold, duration, decay, severity, cooldown, factor, maxDuration]
}

/** The numbers of a demand's terms, in the order in which a server reads them. */
export function termNumbers(terms: Terms): number[] {
  const { maxWait = 0, least = -1, floor = 0, holdFor = 0, heldSince = 0, place, ttl = 0, held } = terms
  const { position = -1, born = 0 } = place ?? {}
  // A server tells waits in whole microseconds.
  const hold = [ttl, held?.to ?? 0, held?.units ?? 0]
  return [Math.floor(maxWait), least, floor, holdFor, heldSince, position, born, ...hold]
}

/**
 * The numbers of a demand's share, in the order in which a server reads them: the place of its pool in the group, counted from 1, the
 * weight, and the ticket, with -1 for none and -2 for one that is wanted. Empty for a demand without a share.
 */
export function shareNumbers(demands: readonly Demand[], at: number): number[] {
  const share = demands[at]!.terms?.share
  if (share === undefined) return []
  const { tag = share.wantsTicket === true ? -2 : -1, epoch = 0 } = share.ticket ?? {}
  return [poolAt(demands, at) + 1, share.weight, tag, epoch]
}
