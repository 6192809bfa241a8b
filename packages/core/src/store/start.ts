import { MAX_EXACT } from '../algorithms/index.ts'
import type { Claim } from './claim.ts'
import { isForTurn } from './share-claim.ts'

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
export function startOf(claims: readonly Claim[], hasKey: boolean): Start | undefined {
  const charged = claims.filter(({ isCharged }) => isCharged)
  let joining = !hasKey && charged.length === 1 && charged[0]!.canJoin ? charged[0] : undefined
  const candidate = joining
  let wait = 0
  for (const claim of claims) {
    if (claim.passes || !claim.isEnforced || isForTurn(claim, claims)) continue
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
export function grantsOf(claims: readonly Claim[], startsLater: boolean): number[] {
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
