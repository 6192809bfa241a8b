import { type ByRank, type Tier, TIERS } from '../base/tiers.ts'
import type { TurnClock } from '../base/turn-clock.ts'
import type { Controller, Finding, WindowSummary } from '../limit/contract.ts'
import { Governor } from '../limit/governor.ts'
import type { Permit } from '../limit/permit.ts'
import type { Usage } from '../limit/route-rows.ts'
import type { StandingQueue } from '../limit/standing-queue.ts'
import type { TierFit } from '../limit/tier-fit.ts'
import type { ByTier, Cause, LimitState, ShedderEvents } from './state.ts'

/** Passes events on. */
export interface Tell {
  <E extends keyof ShedderEvents>(event: E, detail: ShedderEvents[E]): void
}

/** A limit that routes share, and their own ones meanwhile. */
export interface Shared {
  readonly controller: StandingQueue
  readonly governor: Governor
  readonly limits: Map<GuardedLimit, StandingQueue>
}

/** The limit of a route, and what has become of it lately, for people. */
export class GuardedLimit implements Usage {
  readonly governor: Governor
  readonly route: string
  /** The limit that holds instead, because a queue stands. */
  shared: Shared | undefined = undefined
  readonly #clock: TurnClock
  readonly #tell: Tell
  #ageMs = 0
  #insideMs = 0
  #calmMs = 0
  #cause: Cause | undefined
  #since: number | undefined
  #refusedBefore: ByRank = [0, 0, 0]
  #sheds: readonly Tier[] = []
  #refusedAtStart = 0
  #rebaselines = 0
  #refusedByLoop = 0

  constructor(
    clock: TurnClock,
    controller: Controller,
    isEnforced: boolean,
    route: string,
    tell: Tell,
    fit: TierFit,
  ) {
    this.#clock = clock
    this.route = route
    this.#tell = tell
    this.governor = new Governor(clock, controller, fit, isEnforced, (window, isRebaselined) =>
      this.note(window, controller.finding, isRebaselined),
    )
  }

  get inFlight(): number {
    return this.governor.inFlight + (this.shared?.governor.countOf(this.route) ?? 0)
  }

  /** Asks for a place. Call `clock.enter()` before. Undefined: refused. */
  enter(rank: number): Permit | undefined {
    const { governor, route, shared } = this
    if (shared === undefined) return governor.enter(rank, route)
    const permit = shared.governor.enter(rank, route)
    if (permit === undefined) return governor.refuse(rank, route)
    governor.admitted[rank]!++
    return permit
  }

  /** Counts a request for which the loop has no time. In shadow mode it passes all the same. */
  refuse(rank: number): Permit | undefined {
    this.#refusedByLoop++
    return this.governor.refuse(rank, this.route)
  }

  state(): LimitState {
    const { governor, inFlight, route, shared } = this
    const now = this.#clock.read()
    governor.review(now)
    shared?.governor.review(now)
    this.#endShedding(now)
    const { refused, admitted } = governor
    const { limit } = (shared ?? governor).controller
    const others = [...(shared?.limits.keys() ?? [])].filter(each => each !== this)
    return {
      route,
      limit: Math.round(limit * 10) / 10,
      sharedWith: others.map(each => each.route),
      inFlight,
      ageMs: this.#ageMs,
      insideMs: this.#insideMs,
      calmMs: this.#calmMs,
      sheds: this.#sheds,
      shedRoutes: this.#since === undefined ? [] : [route],
      cause: this.#cause,
      sheddingMs: this.#since === undefined ? 0 : now - this.#since,
      refused: byTier(refused),
      admitted: byTier(admitted),
      rebaselines: this.#rebaselines,
    }
  }

  /** Takes a window into account, which may be one of a limit that other routes share. */
  note({ at, routes, ageMs }: WindowSummary, { baselines }: Finding, isRebaselined: boolean): void {
    const sample = routes.get(this.route)
    this.#ageMs = ageMs
    if (sample !== undefined) {
      this.#insideMs = sample.insideMs
      this.#calmMs = baselines.get(this.route) ?? sample.insideMs
    }
    const refused = sum(this.governor.refused) - sum(this.#refusedBefore)
    if (refused > 0) this.#shed(at, refused)
    else this.#endShedding(at)
    if (!isRebaselined) return
    this.#rebaselines++
    this.#tell('rebaseline', this.state())
  }

  #shed(at: number, refused: number): void {
    const now = this.governor.refused
    this.#sheds = TIERS.filter((_, rank) => now[rank]! > this.#refusedBefore[rank]!)
    this.#refusedBefore = [...now]
    this.#cause = this.#refusedByLoop > refused / 2 ? 'loop' : 'inside'
    this.#refusedByLoop = 0
    // A window without traffic may end long after the refusals in it.
    if (this.#since !== undefined || this.governor.isCalm(at)) return
    this.#since = at
    this.#refusedAtStart = sum(now) - refused
    this.#tell('shedding', this.state())
  }

  #endShedding(at: number): void {
    if (this.#since === undefined || !this.governor.isCalm(at)) return
    const sheddingMs = Math.max(0, this.governor.refusedAt - this.#since)
    const refusedMeanwhile = sum(this.governor.refused) - this.#refusedAtStart
    this.#since = undefined
    this.#sheds = []
    this.#cause = undefined
    this.#tell('calm', { ...this.state(), sheddingMs, refusedMeanwhile })
  }
}

function byTier([critical, normal, batch]: Readonly<ByRank>): ByTier {
  return { critical, normal, batch }
}

function sum([critical, normal, batch]: Readonly<ByRank>): number {
  return critical + normal + batch
}
