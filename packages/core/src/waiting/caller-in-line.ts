import type { Check } from '../check/check.ts'
import type { CheckResult } from '../check/check-result.ts'
import type { Decision } from '../check/decision.ts'
import type { Line } from './line.ts'
import { AT_ONCE, type Owed, type Standing, type TakenPlace } from './standing.ts'
import type { WaiterParts } from './waiter-parts.ts'

/** The caller that stands in a line. */
export interface Owner {
  readonly seq: number
  readonly deadline: number
  readonly check: Check
  /** Called when its turn has come. */
  turnCame(): void
  /** Called when its patience has ended before its turn. It has left the line. */
  expired(): void
  /** Asks the store for news of the line. */
  look(): void
}

/** How a caller came into a line. */
export interface Entry {
  /** Its units, for each counter of the line. */
  readonly units: readonly number[]
  /** Undefined for a caller without a place in the store. */
  readonly places: TakenPlace['places'] | undefined
  readonly owes?: Owed
  /**
   * The charge of the caller. A decision is given to it at its turn. A result is for its place alone: at its turn the caller asks
   * for the rest.
   */
  readonly charged: Decision | { readonly forPlace: CheckResult }
}

/** A caller in a line: its place, and what was charged for it, which is given back when it leaves. */
export class CallerInLine implements Standing {
  /** Whether it stands there: its turn has not come, and its patience has not ended. */
  isStanding = false
  places: TakenPlace['places'] | undefined
  owes: Owed
  readonly units: readonly number[]
  readonly #owner: Owner
  readonly #parts: WaiterParts
  readonly #line: Line
  #charged: Entry['charged'] | undefined

  constructor(owner: Owner, parts: WaiterParts, line: Line, { units, places, owes, charged }: Entry) {
    this.places = places
    this.owes = owes ?? AT_ONCE
    this.units = units
    this.#owner = owner
    this.#parts = parts
    this.#line = line
    this.#charged = charged
  }

  get seq(): number {
    return this.#owner.seq
  }

  get deadline(): number {
    return this.#owner.deadline
  }

  get check(): Check {
    return this.#owner.check
  }

  /** The decision that the caller is given at its turn. Undefined if it then asks for the rest. */
  get decision(): Decision | undefined {
    return this.#charged === undefined || 'forPlace' in this.#charged ? undefined : this.#charged
  }

  /** The instant at which it may start, as this process knows it. Undefined when it stands there no longer. */
  get startsAt(): number | undefined {
    return this.isStanding ? this.#line.startOf(this) : undefined
  }

  /** Stands in the line, in which its turn may have come already. */
  stand(): void {
    this.isStanding = true
    this.#line.stand(this)
  }

  /** Leaves the line. Resolves when all was given back. */
  leave(): Promise<void> {
    this.isStanding = false
    return this.#line.leave(this)
  }

  start(): void {
    this.isStanding = false
    this.#owner.turnCame()
  }

  expire(): void {
    this.isStanding = false
    this.#owner.expired()
  }

  look(): void {
    this.#owner.look()
  }

  gone(): Promise<void> | undefined {
    const charged = this.#charged
    this.#charged = undefined
    if (charged === undefined) return undefined
    if ('forPlace' in charged) return this.#parts.withdraw(charged.forPlace)
    return this.places === undefined ? this.#parts.cancel(charged) : this.#parts.forgive(charged)
  }

  /** Gives back the place of a caller that does not take it at its turn. Resolves when the store has answered. */
  async giveUp(): Promise<void> {
    const { places, check, units } = this
    const back =
      places === undefined ? undefined : this.#parts.store.leave(this.#line, [{ check, units, places }])
    const rest = this.gone()
    this.places = undefined
    await back
    await rest
  }

  /**
   * Charges a counter once more whose front has passed the caller, while it waited for another counter.
   *
   * @param asked the instant at which the store was asked, by this process's clock
   */
  payForDelay(asked: number): void {
    const { places } = this
    if (places === undefined || places.length < 2) return
    const now = this.#parts.store.clock()
    const late = places.map((place, i) => {
      const front = this.#line.fronts[i]!
      return Math.min(
        this.units[i]!,
        place === undefined ? front.paidIn(now - asked) : front.surplus(place, now),
      )
    })
    void this.#parts.store.charge(this.#line, this.check, late)
  }
}
