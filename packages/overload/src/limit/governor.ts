import type { ByRank } from '../base/tiers.ts'
import type { TurnClock } from '../base/turn-clock.ts'
import type { Controller, WindowSummary } from './contract.ts'
import { LoopUse } from './loop-guard.ts'
import { type Ending, type Issuer, Permit } from './permit.ts'
import { Places } from './places.ts'
import type { TierFit } from './tier-fit.ts'
import { Window } from './window.ts'

// All of them may have sent at one instant, and then their work begins.
const MOST_SENDING = 1000
// The work for a client that has left goes on for so long at most, unless somebody tells when it ends.
const GONE_MS = 1000
// A request that takes so much longer than its route when nothing queues, while later ones are as quick as ever, holds no place.
const OUTLIER = 20
const OUTLIER_MS = 500

// Shedding is over once nothing was refused for so long, because an overload comes in waves.
const CALM_AFTER_MS = 2000
// A flood of refusals must stay cheap, so not each of them looks for places.
const LOOK_MS = 50

/** Counts the requests in flight, and refuses further requests while the limit is reached. */
export class Governor implements Issuer {
  readonly controller: Controller
  readonly use: LoopUse = new LoopUse()
  readonly admitted: ByRank = [0, 0, 0]
  readonly refused: ByRank = [0, 0, 0]
  inFlight = 0
  /** Whether it knows how long some request takes. */
  hasLearned = false
  /** When it last refused a request, in milliseconds of the turn clock. */
  refusedAt: number
  readonly #clock: TurnClock
  readonly #fit: TierFit
  readonly #isEnforced: boolean
  readonly #judged: (window: WindowSummary, isRebaselined: boolean) => void
  #window: Window
  readonly #held = new Places()
  #lookedAt = Number.NEGATIVE_INFINITY
  #gone: Permit[] = []
  /** How many requests have no place while their clients send. */
  #sending = 0
  /** When the last of the requests was admitted that took no longer than when nothing queues. */
  #quickFrom = Number.NEGATIVE_INFINITY

  /** @param judged hears of each window that was judged, and whether a longer time was taken for normal */
  constructor(
    clock: TurnClock,
    controller: Controller,
    fit: TierFit,
    isEnforced: boolean,
    judged: (window: WindowSummary, isRebaselined: boolean) => void,
  ) {
    this.#clock = clock
    this.controller = controller
    this.#fit = fit
    this.#isEnforced = isEnforced
    this.#judged = judged
    this.refusedAt = clock.read()
    this.#window = new Window(this.refusedAt, 0)
  }

  /** Asks for a place. Call `clock.enter()` before. Undefined: refused. */
  enter(rank: number, route: string): Permit | undefined {
    const { now, age } = this.#clock
    this.review(now)
    const window = this.#window
    if (this.#isFull(rank, now)) {
      window.refused++
      return this.refuse(rank, route)
    }
    window.spend(now, this.inFlight)
    this.admitted[rank]!++
    window.admit(age, ++this.inFlight)
    const permit = new Permit(this, now, route, this.controller.cuts)
    this.#held.hold(permit)
    return permit
  }

  /** Counts a request that is refused. In shadow mode it passes all the same. */
  refuse(rank: number, route: string): Permit | undefined {
    const { now } = this.#clock
    this.review(now)
    this.refused[rank]!++
    this.refusedAt = now
    return this.#isEnforced ? undefined : new Permit(this, now, route, this.controller.cuts)
  }

  /** Whether it has refused nothing for so long that an overload is over. */
  isCalm(now: number): boolean {
    return now - this.refusedAt >= CALM_AFTER_MS
  }

  /** How many requests of a route are in flight. */
  countOf(route: string): number {
    return this.#held.those(permit => permit.route === route).length
  }

  /** Lets another governor count from now on what is in flight of a route. */
  handOver(to: Governor, route: string): void {
    const now = this.#clock.read()
    this.#window.spend(now, this.inFlight)
    to.#window.spend(now, to.inFlight)
    for (const permit of this.#held.those(each => each.route === route)) {
      this.#held.free(permit)
      this.#leave()
      permit.moveTo(to)
      to.#held.hold(permit)
      to.inFlight++
    }
  }

  /** Takes a permit back. */
  take(permit: Permit, ending: Ending): void {
    if (permit.idle === 'sending') this.#sending--
    if (permit.idle !== undefined) return
    this.#held.free(permit)
    const now = this.#clock.read()
    this.#learn(permit, now - permit.at, ending)
    this.#window.spend(now, this.inFlight)
    this.#leave()
    this.#window.complete(1, now - permit.at)
    this.#fit.complete()
    this.review(now)
  }

  abandon(permit: Permit): void {
    permit.goneAt = this.#clock.read()
    this.#gone.push(permit)
  }

  /** Judges the window if it is over. */
  review(now: number): void {
    while (this.#gone.length > 0 && now - this.#gone[0]!.goneAt! >= GONE_MS)
      this.#gone.shift()!.leave('at-least')
    if (!this.#window.isDue(now, this.hasLearned)) return
    this.#freeOutliers(now)
    const summary = this.#window.close(now, this.inFlight, this.#isEnforced, this.use.waitMs)
    this.#window = new Window(now, this.inFlight)
    const { rebaselines } = this.controller.finding
    this.controller.judge(summary)
    this.#judged(summary, this.controller.finding.rebaselines > rebaselines)
  }

  /** A request from before a cut tells about the longer queue of then. One that ended early and quickly tells nothing. */
  #learn({ at, route, cuts, sender }: Permit, inside: number, ending: Ending): void {
    if (ending === 'drop' || cuts !== this.controller.cuts) return
    const base = this.controller.finding.baselines.get(route)
    // Nor does one whose client was still sending.
    if (ending === 'at-least' && (!(inside > base!) || sender?.isSending === true)) return
    if (inside <= 2 * base! + 10 && at > this.#quickFrom) this.#quickFrom = at
    this.#window.sample(route, inside)
    this.hasLearned = true
  }

  #isFull(rank: number, now: number): boolean {
    const places = this.#fit.placesOf(rank, this.controller.limit)
    if (this.inFlight < places) return false
    if (now - this.#lookedAt < LOOK_MS) return true
    this.#lookedAt = now
    for (const permit of this.#held.idle(now)) this.#freeIdle(permit, now)
    this.#freeOutliers(now)
    return this.inFlight >= places
  }

  /** Frees the places of requests that were overtaken, so they wait for something that the others do not wait for. */
  #freeOutliers(now: number): void {
    const ms = Math.max(OUTLIER_MS, OUTLIER * Math.max(...this.controller.finding.baselines.values()))
    for (const permit of this.#held.those(({ at }) => at < this.#quickFrom && now - at >= ms))
      this.#freeIdle(permit, now)
  }

  /** Frees the place of a request that uses nothing of the process. */
  #freeIdle(permit: Permit, now: number): void {
    const isSending = permit.sender?.isSending === true
    if (isSending && this.#sending >= MOST_SENDING) return
    this.#held.free(permit)
    this.#window.spend(now, this.inFlight)
    this.#leave()
    this.#window.complete(0, now - permit.at)
    permit.idle = isSending ? 'sending' : 'stuck'
    if (!isSending) return
    this.#sending++
    permit.sender?.whenSent(() => this.#resume(permit))
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

  /** In shadow mode what would have been refused leaves too. So the number counts what an enforcing shedder would have in flight. */
  #leave(): void {
    this.inFlight = Math.max(0, this.inFlight - 1)
  }
}
