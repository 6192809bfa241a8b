import type { Place } from '../algorithms/index.ts'
import { AT_ONCE, type InLine, type Owed } from './callers.ts'
import type { Check } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { Demand } from '../store/contract.ts'
import { keyOfDemand } from '../store/counter-key.ts'
import type { Line } from './line.ts'
import { type TakenPlace, unusedGroup } from './places.ts'
import type { WaiterParts } from './waiter-parts.ts'

/** The caller that stands in a line. */
export interface Owner {
  readonly deadline: number
  /** How long it may still wait, in microseconds. */
  readonly maxWait: number
  /** Called when its turn has come. */
  turnCame(): void
  /** Called when its patience has ended before its turn. It has left the line. */
  expired(): void
  /** Asks the store for news of the line. */
  look(): void
}

/** How a caller came into a line. */
export interface Entry extends Omit<TakenPlace, 'place'> {
  readonly seq: number
  /** Undefined for a caller without a place in the store. */
  readonly place?: Place | undefined
  readonly owes?: Owed
  /** The decision that the caller is given at its turn. Without one it asks for the rest then. */
  readonly decision?: Decision
  /** Whether this process has charged the caller, and the store does not know of it. */
  readonly isOnlyHere?: boolean
}

/** A caller in a line: its place, and what was charged for it, which is given back when it leaves. */
export class CallerInLine implements InLine {
  isStanding = false
  isJoining = false
  place: Place | undefined
  owes: Owed
  readonly seq: number
  readonly check: Check
  readonly at: number
  readonly isOnlyHere: boolean
  /** The decision that it is given at its turn. Undefined if it asks for the rest then, or was given back. */
  decision: Decision | undefined
  readonly #owner: Owner
  readonly #parts: WaiterParts
  readonly #line: Line

  constructor(owner: Owner, parts: WaiterParts, entry: Entry) {
    this.seq = entry.seq
    this.check = entry.check
    this.at = entry.at
    this.place = entry.place
    this.owes = entry.owes ?? AT_ONCE
    this.decision = entry.decision
    this.isOnlyHere = entry.isOnlyHere ?? false
    this.#owner = owner
    this.#parts = parts
    this.#line = parts.lines.of(this.check, this.at, parts.store)
  }

  get demand(): Demand {
    return this.check.demands[this.at]!
  }

  get deadline(): number {
    return this.#owner.deadline
  }

  /** The instant at which it may start, as this process knows it. Undefined when it stands there no longer. */
  get startsAt(): number | undefined {
    return this.isStanding ? this.#line.startOf(this) : undefined
  }

  /** Stands in the line, in which its turn may have come already. */
  stand(): void {
    this.isStanding = true
    // Without a decision it asks for a place now, and for the rest when its turn has come.
    this.isJoining = this.decision === undefined
    this.#line.stand(this)
    if (this.isJoining) this.#join()
  }

  #join(): void {
    const { check, at } = this
    this.#parts.store.join(this, this.#owner.maxWait, place => {
      if (this.isJoining && this.isStanding) {
        this.isJoining = false
        this.place = place === false ? undefined : place
        this.#line.joined(this, place !== false)
      } else if (place) void this.#parts.store.correct(unusedGroup([{ check, at, place }]))
    })
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
    const { decision } = this
    this.decision = undefined
    // The bucket takes the charge of a place back with the place. A store that has lost the place has lost its charge.
    const hadPlace = this.place !== undefined || (this.owes !== AT_ONCE && !this.isOnlyHere)
    return decision && this.#parts.abandon(decision, hadPlace ? keyOfDemand(this.demand) : undefined)
  }

  /** Gives back what was charged for a caller that does not take its turn. Resolves when the store has answered. */
  async giveUp(): Promise<void> {
    const { check, at, place } = this
    const rest = this.gone()
    this.place = undefined
    if (place !== undefined) await this.#parts.store.leave([[{ check, at, place }]])
    await rest
  }
}
