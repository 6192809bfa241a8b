import {
  algorithmOf,
  correctTurn,
  debtAt,
  giveTicket,
  isTurn,
  mayHold,
  mostToHold,
  newClock,
  type State,
  leadOf,
  takeTurn,
  type TenantRequest,
  waitToHold,
  withReading,
} from '../algorithms/index.ts'
import { Claim } from './claim.ts'
import { type Demand, type Terms, Mode, tells } from './contract.ts'
import { asksForTicket } from './terms.ts'

/** The index of the pool of a share's demand; -1 if the demand is not about a share, or the group lacks the pool. */
export function poolAt(demands: readonly Demand[], at: number): number {
  const { subject, terms } = demands[at]!
  const pool = terms?.share?.pool
  return pool === undefined
    ? -1
    : demands.findIndex(other => other.rule.counter === pool && other.subject === subject)
}

/** The index of the demand on a share of the pool at an index; -1 if there is none. */
export function shareAt(demands: readonly Demand[], at: number): number {
  const { subject, rule } = demands[at]!
  return demands.findIndex(
    ({ terms, subject: own }) => terms?.share?.pool === rule.counter && own === subject,
  )
}

/** The terms that a correction of a demand keeps: the share that it is about. */
export function shareIn({ terms }: Demand): Terms | undefined {
  return terms?.share && { share: { ...terms.share, ticket: undefined, wantsTicket: false } }
}

// How a store decides the demand of a tenant on its share of a pool: a counter that tenants share fairly. The pool's own demand stands
// in front of the share's in the group. A share is judged by the pool as it was before the group.

/** The claim of a tenant on its share of a pool, which is the counter of another claim of the group. */
export class ShareClaim extends Claim {
  /** The pool's claim. Undefined if the group lacks it; then the share refuses nothing. */
  pool: Claim | undefined
  // The tenant's turn in a bucket, before the group.
  #turn: TenantRequest | undefined

  override fits(): boolean {
    const { pool, demand, state, now } = this
    if (pool === undefined) return true
    const isTold = tells(demand)
    if (algorithmOf(pool.rule).isFlight)
      return isTold || mayHold(state, now, this.fewest, this.#inUse, pool.rule, this.#weight)
    this.#turn = {
      pool: pool.rule,
      debt: debtAt(pool.state, now, pool.rule),
      clock: (pool.clock ??= newClock(now)),
      weight: this.#weight,
      ticket: demand.terms!.share!.ticket,
    }
    return isTold || isTurn(state, now, this.fewest, this.#turn)
  }

  protected override get left(): number {
    const { pool, state, now } = this
    if (pool === undefined || !algorithmOf(pool.rule).isFlight) return super.left
    return mostToHold(state, now, this.#inUse, pool.rule, this.#weight)
  }

  /** A tenant whose turn has come stands in the line of its pool. */
  override get isCharged(): boolean {
    return super.isCharged && !this.passes
  }

  protected override untilFree(): number {
    const { state, now, pool } = this
    const turn = this.#turn
    if (turn === undefined) return waitToHold(state, pool!.state, now, this.fewest, pool!.rule, this.#weight)
    return leadOf(withReading(state, turn.clock), now, this.fewest, turn).wait
  }

  override take(units: number, joins: boolean): boolean {
    const turn = this.#turn
    if (turn === undefined) return super.take(units, joins)
    const { mode } = this.demand
    if (units === 0 || mode === Mode.PEEK || mode === Mode.DEFER) return false
    if (mode === Mode.SETTLE) return correctTurn(this.state, this.now, units, turn)
    takeTurn(this.state, this.now, units, turn)
    return true
  }

  override promise(): boolean {
    if (this.#turn === undefined || !asksForTicket(this.demand)) return false
    giveTicket(this.state, this.now, this.fewest, this.#turn)
    return true
  }

  /** A tag together with the reading of its clock, without which it means nothing. */
  override get reported(): State {
    return this.#turn === undefined ? this.state : withReading(this.state, this.#turn.clock)
  }

  get #weight(): number {
    return this.demand.terms!.share!.weight
  }

  get #inUse(): number {
    const { rule, state } = this.pool!
    return algorithmOf(rule).used(state, this.now, rule)
  }
}

/** Finds the pool of each share of a group: the first claim on its counter, for the same subject. */
export function findPools(claims: readonly Claim[]): void {
  for (const claim of claims)
    if (claim instanceof ShareClaim) {
      const { terms, subject } = claim.demand
      claim.pool = claims.find(
        ({ demand }) => demand.rule.counter === terms!.share!.pool && demand.subject === subject,
      )
    }
}

/** Whether a pool must wait for the turn of its tenant. The tenant's place in line is given then. */
export function isForTurn(pool: Claim, claims: readonly Claim[]): boolean {
  return claims.some(claim => claim instanceof ShareClaim && claim.pool === pool && !claim.passes)
}

/** A policy that only reports is charged on its pool and on the share, or on neither. */
export function pairShadows(claims: readonly Claim[]): void {
  for (const claim of claims) {
    if (claim.isEnforced || !(claim instanceof ShareClaim) || claim.pool === undefined) continue
    if (claim.passes !== claim.pool.passes) claim.passes = claim.pool.passes = false
  }
}
