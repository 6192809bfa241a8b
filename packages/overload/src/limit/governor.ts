import type { ByRank } from '../base/tiers.ts'
import type { TurnClock, TurnListener } from '../base/turn-clock.ts'
import type { Controller, WindowSummary } from './contract.ts'
import { type Ending, type Issuer, Permit } from './permit.ts'
import { Places } from './places.ts'
import { TierFit } from './tier-fit.ts'
import { Window } from './window.ts'

// All of them may have sent at one instant, and then their work begins.
const MOST_SENDING = 1000

/** Hears of each window that was judged. */
export type Judged = (window: WindowSummary) => void

/** Counts the requests in flight, and refuses further requests while the limit is reached. */
export class Governor implements TurnListener, Issuer {
  readonly controller: Controller
  readonly admitted: ByRank = [0, 0, 0]
  readonly refused: ByRank = [0, 0, 0]
  inFlight = 0
  /** Whether it knows how long some request takes. */
  hasLearned = false
  /** When it last refused a request, in milliseconds of the turn clock. */
  refusedAt = 0
  readonly #clock: TurnClock
  readonly #isEnforced: boolean
  readonly #judged: Judged | undefined
  readonly #window: Window
  readonly #fit: TierFit
  readonly #places: ByRank = [0, 0, 0]
  readonly #held = new Places()
  /** How many requests have no place while their clients send. */
  #sending = 0
  #leaving = 0
  #leavingAt = 0

  /** @param whole the governor within which this one counts some routes */
  constructor(
    clock: TurnClock,
    controller: Controller,
    isEnforced = true,
    judged?: Judged,
    whole?: Governor,
  ) {
    this.#clock = clock
    this.controller = controller
    this.#isEnforced = isEnforced
    this.#judged = judged
    const now = clock.read()
    this.#window = new Window(now)
    this.#fit = new TierFit(now, whole && whole.#fit)
    this.#divide()
  }

  /** The number of requests in flight at which a tier is refused, by the tier's rank. */
  get places(): Readonly<ByRank> {
    return this.#places
  }

  /** Asks for a place. Call `clock.enter()` before. Undefined: refused. */
  enter(rank: number, route: string): Permit | undefined {
    const { now, age } = this.#clock
    this.review(now)
    this.#fit.arrive(rank)
    const window = this.#window
    if (this.inFlight >= this.#places[rank]! && !this.#findsRoom(rank, now)) {
      this.refused[rank]!++
      window.refused++
      this.refusedAt = now
      return this.#isEnforced ? undefined : new Permit(this, now, route, this.controller.cuts)
    }
    window.spend(now, this.inFlight)
    this.admitted[rank]!++
    window.admit(age, ++this.inFlight)
    const permit = new Permit(this, now, route, this.controller.cuts)
    this.#held.hold(permit)
    return permit
  }

  /** Counts requests as well that another governor has admitted, whether there are places or not. */
  adopt(route: string, from: Governor): void {
    this.#window.spend(this.#clock.read(), this.inFlight)
    for (const permit of from.#held.of(route)) {
      this.inFlight++
      // They tell about the time before.
      const own = new Permit(this, permit.at, route, -1)
      own.sender = permit.sender
      permit.within(own)
      this.#held.hold(own)
    }
  }

  /** Counts a request that the limit of its route has refused. The controller does not hear of it. */
  noteRefusal(rank: number): void {
    const { now } = this.#clock
    this.review(now)
    this.refused[rank]!++
    this.refusedAt = now
  }

  /** Takes a permit back. Its place is free at the end of the loop's turn, because others of the turn wait for the same loop. */
  take(permit: Permit, ending: Ending): void {
    if (permit.idle === 'sending') this.#sending--
    if (permit.idle !== undefined) return
    this.#held.free(permit)
    const { at, route, cuts } = permit
    const now = this.#clock.read()
    const inside = now - at
    // A request from before a cut tells about the longer queue of then. One that ended early and quickly tells nothing, and so does one
    // whose client was still sending.
    if (ending !== 'drop' && cuts === this.controller.cuts) {
      if (ending === 'sample' || (this.#isSlow(route, inside) && permit.sender?.isSending !== true)) {
        this.#window.sample(route, inside)
        this.hasLearned = true
      }
    }
    if (!this.#clock.isOpen) return this.#free(now, 1, inside)
    if (this.#leaving++ === 0) this.#clock.atEnd(this)
    this.#leavingAt += at
  }

  #isSlow(route: string, inside: number): boolean {
    return inside > (this.#window.usual(route) ?? Number.POSITIVE_INFINITY)
  }

  turnEnded(now: number): void {
    const count = this.#leaving
    const held = count * now - this.#leavingAt
    this.#leaving = 0
    this.#leavingAt = 0
    this.#free(now, count, held)
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
    this.#judged?.(summary)
  }

  /** Frees the places of requests that use nothing of the process. Returns whether a tier has a place then. */
  #findsRoom(rank: number, now: number): boolean {
    for (const permit of this.#held.idle(now)) {
      const isSending = permit.sender?.isSending === true
      if (isSending && this.#sending >= MOST_SENDING) continue
      this.#held.free(permit)
      this.#window.spend(now, this.inFlight)
      this.#leave(1)
      this.#window.complete(0, now - permit.at)
      permit.idle = isSending ? 'sending' : 'stuck'
      if (!isSending) continue
      this.#sending++
      permit.sender?.whenSent(() => this.#resume(permit))
    }
    return this.inFlight < this.#places[rank]!
  }

  /** Counts a request again whose body is there now, whether there is a place or not: its work begins. */
  #resume(permit: Permit): void {
    if (!permit.isOpen) return
    const now = this.#clock.read()
    this.#window.spend(now, this.inFlight++)
    permit.idle = undefined
    this.#sending--
    permit.at = now
    permit.cuts = this.controller.cuts
    this.#held.hold(permit)
  }

  #free(now: number, count: number, held: number): void {
    this.#window.spend(now, this.inFlight)
    this.#leave(count)
    this.#window.complete(count, held)
    this.#fit.complete(count)
    this.review(now)
  }

  /** In shadow mode what would have been refused leaves too. So the number counts what an enforcing shedder would have in flight. */
  #leave(count: number): void {
    this.inFlight = Math.max(0, this.inFlight - count)
  }

  #divide(): void {
    this.#fit.divide(this.controller.limit, this.#places)
  }
}
