import type { ByRank } from '../base/tiers.ts'
import type { TurnClock, TurnListener } from '../base/turn-clock.ts'
import type { Controller } from './controller.ts'
import { TierFit } from './tier-fit.ts'
import { type RouteSums, Window } from './window.ts'

/** Hears of each judged window. */
export type Judged = (governor: Governor, refused: number) => void

/** A request's right to be in flight. It is given back once. */
export interface Permit {
  readonly at: number
  readonly sums: RouteSums
  readonly cuts: number
  isHeld: boolean
}

/** What a response tells about latency. */
export type Ending = 'sample' | 'drop' | 'aborted'

/** Counts the requests in flight, and refuses those for which there is no place. */
export class Governor implements TurnListener {
  readonly admitted: ByRank = [0, 0, 0]
  readonly refused: ByRank = [0, 0, 0]
  readonly controller: Controller
  inFlight = 0
  readonly #clock: TurnClock
  readonly #isEnforced: boolean
  readonly #judged: Judged | undefined
  readonly #window: Window
  readonly #fit: TierFit
  readonly #places: ByRank = [0, 0, 0]
  #leaving = 0
  #leavingAt = 0

  constructor(clock: TurnClock, controller: Controller, isEnforced = true, judged?: Judged) {
    this.#clock = clock
    this.controller = controller
    this.#isEnforced = isEnforced
    this.#judged = judged
    const now = clock.read()
    this.#window = new Window(now)
    this.#fit = new TierFit(now)
    this.#divide()
  }

  /** The number of requests in flight at which a tier is refused. */
  placesOf(rank: number): number {
    return this.#places[rank] ?? 0
  }

  /** Asks for a place. Call `clock.enter()` before. Undefined: refused. */
  enter(rank: number, route: string): Permit | undefined {
    const { now, age } = this.#clock
    this.review(now)
    this.#fit.arrive(rank)
    const window = this.#window
    if (this.inFlight >= this.#places[rank]!) {
      this.refused[rank]!++
      window.refused++
      if (this.#isEnforced) return undefined
    } else {
      window.spend(now, this.inFlight)
      window.admitted++
      this.admitted[rank]!++
      this.inFlight++
      if (this.inFlight > window.peak) window.peak = this.inFlight
      if (age < window.leastAge) window.leastAge = age
    }
    return { at: now, sums: window.sumsOf(route), cuts: this.controller.cuts, isHeld: true }
  }

  /** Gives a place back, at the end of the turn of the loop. The second call for a permit does nothing. */
  leave(permit: Permit, ending: Ending): void {
    if (!permit.isHeld) return
    permit.isHeld = false
    const now = this.#clock.read()
    // What was admitted before a cut tells about the longer queue before it.
    if (ending !== 'drop' && permit.cuts === this.controller.cuts) {
      const inside = now - permit.at
      // A client that leaves early says nothing about how long the answer would have taken.
      if (ending === 'sample' || inside > permit.sums.usual) this.#window.sample(permit.sums, inside)
    }
    if (!this.#clock.isOpen) return this.#free(now, 1, now - permit.at)
    if (this.#leaving === 0) this.#clock.atEnd(this)
    this.#leaving++
    this.#leavingAt += permit.at
  }

  turnEnded(now: number): void {
    const leaving = this.#leaving
    const held = leaving * now - this.#leavingAt
    this.#leaving = 0
    this.#leavingAt = 0
    this.#free(now, leaving, held)
  }

  /** Judges the window if it is over. */
  review(now: number): void {
    if (this.#fit.isDue(now)) {
      this.#fit.update(now)
      this.#divide()
    }
    if (!this.#window.isDue(now)) return
    const summary = this.#window.close(now, this.inFlight, this.#clock.stalls, this.#isEnforced)
    this.controller.judge(summary)
    this.#divide()
    this.#judged?.(this, summary.refused)
  }

  #free(now: number, count: number, held: number): void {
    this.#window.spend(now, this.inFlight)
    // In shadow mode what would have been refused leaves too, so that the number counts what an enforcing shedder would have.
    this.inFlight = Math.max(0, this.inFlight - count)
    this.#window.complete(count, held)
    this.#fit.complete(count)
    this.review(now)
  }

  #divide(): void {
    this.#fit.divide(this.controller.limit, this.#places)
  }
}
