// How a store decides the demand of a tenant on a pool: a counter that tenants share fairly. The pool must let it pass, and the tenant's
// share of the pool. Both are judged by the counters as they were before the group, and changed together.
import {
  correctTurn,
  debtAt,
  freshAt,
  giveTicket,
  isTurn,
  leadOf,
  mayHold,
  mostToHold,
  newClock,
  type Rule,
  type State,
  takeTurn,
  type TenantRequest,
  type VirtualClock,
  waitToHold,
  withReading,
} from '../algorithms/index.ts'
import { Claim } from './claim.ts'
import { type Demand, Mode, tells } from './contract.ts'
import type { Counters } from './counter-key.ts'
import { asksForTicket, isTicketBack, ofTenant } from './terms.ts'

/** The claim of a tenant on a pool. */
export class ShareClaim extends Claim {
  // The tenant's own counter.
  readonly #own: State
  readonly #weight: number
  // The tenant's turn in a bucket; undefined for permits, and before the demand is judged.
  #turn: TenantRequest | undefined
  #isDue = false
  // Which of the two counters changed.
  #isPoolChanged = false
  #isOwnChanged = false

  /** @param own the tenant's counter */
  constructor(
    demand: Demand,
    rule: Rule,
    state: State,
    now: number,
    clock: VirtualClock | undefined,
    own: State,
  ) {
    super(demand, rule, state, now, clock)
    this.#own = own
    this.#weight = demand.terms!.share!.weight
  }

  override fits(): boolean {
    const { demand, state, now, rule } = this
    const { place, share } = demand.terms!
    if (!this.algorithm.isFlight)
      this.#turn = {
        pool: rule,
        debt: debtAt(state, now, rule),
        clock: (this.clock ??= newClock(now)),
        weight: this.#weight,
        ticket: share!.ticket,
      }
    // The store charged the share when it gave the place.
    this.#isDue = tells(demand) || place !== undefined || this.#isOwnTurn
    return super.fits() && this.#isDue
  }

  get #isOwnTurn(): boolean {
    const { now, fewest, rule } = this
    const own = this.#own
    return this.#turn === undefined
      ? mayHold(own, now, fewest, this.#inUse, rule, this.#weight)
      : isTurn(own, now, fewest, this.#turn)
  }

  override get most(): number {
    const most = super.most
    if (!this.algorithm.isFlight) return most
    return Math.min(most, mostToHold(this.#own, this.now, this.#inUse, this.rule, this.#weight))
  }

  /** A tenant gets its place in the line of the pool when its turn has come. */
  override get canJoin(): boolean {
    return super.canJoin && this.#isDue
  }

  override wait(joins: boolean): number | undefined {
    if (this.#isDue) return super.wait(joins)
    const { state, now, fewest, rule } = this
    const maxWait = this.demand.terms!.maxWait ?? 0
    if (maxWait === 0) return undefined
    const [turn, own] = [this.#turn, this.#own]
    if (turn === undefined) return Math.min(maxWait, waitToHold(own, state, now, fewest, rule, this.#weight))
    const { wait } = leadOf(withReading(own, turn.clock), now, fewest, turn)
    return wait <= maxWait ? wait : undefined
  }

  override take(units: number, joins: boolean): boolean {
    this.#isPoolChanged = !isTicketBack(this.demand) && super.take(units, joins)
    this.#isOwnChanged = this.#takeOwn(units)
    return this.#isPoolChanged || this.#isOwnChanged
  }

  #takeOwn(units: number): boolean {
    const { demand, now } = this
    const [turn, own] = [this.#turn, this.#own]
    const { mode, terms } = demand
    if (units === 0 || (mode === Mode.CHARGE && terms!.place !== undefined)) return false
    if (turn === undefined)
      return new Claim(ofTenant(demand), terms!.share!.rule, own, now, undefined).take(units, false)
    if (mode === Mode.PEEK || mode === Mode.DEFER) return false
    if (mode === Mode.SETTLE) return correctTurn(own, now, units, turn)
    takeTurn(own, now, units, turn)
    return true
  }

  override promise(): boolean {
    if (this.#isDue || this.#turn === undefined || !asksForTicket(this.demand)) return false
    giveTicket(this.#own, this.now, this.fewest, this.#turn)
    this.#isOwnChanged = true
    return true
  }

  /** One tenant's refusal starts no cool-down, which would be that of all tenants. */
  override refuse(): boolean {
    return false
  }

  override keep(counters: Counters): void {
    if (this.#isPoolChanged) super.keep(counters)
    const { subject, terms } = this.demand
    const { rule } = terms!.share!
    if (this.#isOwnChanged) counters.keep(subject, rule.counter, this.#own, freshAt(this.#own, rule))
  }

  /** A tag together with the reading of its clock, without which it means nothing. */
  override get share(): State {
    return this.#turn === undefined ? this.#own : withReading(this.#own, this.#turn.clock)
  }

  get #inUse(): number {
    return this.algorithm.used(this.state, this.now, this.rule)
  }
}
