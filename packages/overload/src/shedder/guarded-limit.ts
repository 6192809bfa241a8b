import { type ByRank, type Tier, TIERS } from '../base/tiers.ts'
import type { TurnClock } from '../base/turn-clock.ts'
import type { Controller, WindowSummary } from '../limit/contract.ts'
import type { Governor } from '../limit/governor.ts'
import type { Permit } from '../limit/permit.ts'
import { RoutedGovernor } from '../limit/routed-governor.ts'
import type { ByTier, Cause, LimitState, ShedderEvents } from './state.ts'

/** Passes events on. */
export interface Tell {
  <E extends keyof ShedderEvents>(event: E, detail: ShedderEvents[E]): void
}

// Shedding is over once nothing was refused for so long, because an overload comes in waves.
const CALM_AFTER_MS = 2000

/** A limit, and what has become of it lately, for people. */
export class GuardedLimit {
  readonly governor: Governor
  readonly #routed: RoutedGovernor
  readonly #route: string | undefined
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

  constructor(
    clock: TurnClock,
    controller: Controller,
    isEnforced: boolean,
    route: string | undefined,
    tell: Tell,
  ) {
    this.#clock = clock
    this.#route = route
    this.#tell = tell
    const judged = (window: WindowSummary): void => this.#note(window)
    this.#routed = new RoutedGovernor(clock, controller, isEnforced, judged)
    this.governor = this.#routed.whole
  }

  /** Asks for a place. Call `clock.enter()` before. Undefined: refused. */
  enter(rank: number, route: string): Permit | undefined {
    return this.#routed.enter(rank, route)
  }

  state(): LimitState {
    const { governor } = this
    const now = this.#clock.read()
    governor.review(now)
    this.#endShedding(now)
    const { controller, inFlight, refused, admitted } = governor
    return {
      route: this.#route,
      limit: Math.round(controller.limit * 10) / 10,
      inFlight,
      ageMs: this.#ageMs,
      insideMs: this.#insideMs,
      calmMs: this.#calmMs,
      sheds: this.#sheds,
      shedRoutes: this.#since === undefined ? [] : [...(controller.apart?.routes ?? [])],
      cause: this.#cause,
      sheddingMs: this.#since === undefined ? 0 : now - this.#since,
      refused: byTier(refused),
      admitted: byTier(admitted),
      rebaselines: controller.finding.rebaselines,
    }
  }

  #note({ at, routes, ageMs }: WindowSummary): void {
    const { baselines, rebaselines } = this.governor.controller.finding
    let samples = 0
    let inside = 0
    let calm = 0
    for (const [route, sample] of routes) {
      samples += sample.samples
      inside += sample.samples * sample.insideMs
      calm += sample.samples * (baselines.get(route) ?? baselines.get('all') ?? sample.insideMs)
    }
    this.#ageMs = ageMs
    if (samples > 0) {
      this.#insideMs = inside / samples
      this.#calmMs = calm / samples
    }
    // The limits of routes refuse, too.
    const refused = sum(this.governor.refused) - sum(this.#refusedBefore)
    if (refused > 0) this.#shed(at, refused)
    else this.#endShedding(at)
    if (rebaselines === this.#rebaselines) return
    this.#rebaselines = rebaselines
    this.#tell('rebaseline', this.state())
  }

  #shed(at: number, refused: number): void {
    const now = this.governor.refused
    this.#sheds = TIERS.filter((_, rank) => now[rank]! > this.#refusedBefore[rank]!)
    this.#refusedBefore = [...now]
    this.#cause = this.#ageMs >= this.#insideMs - this.#calmMs ? 'loop' : 'inside'
    // A window without traffic may end long after the refusals in it.
    if (this.#since !== undefined || this.#isCalm(at)) return
    this.#since = at
    this.#refusedAtStart = sum(now) - refused
    this.#tell('shedding', this.state())
  }

  #isCalm(at: number): boolean {
    return at - this.governor.refusedAt >= CALM_AFTER_MS
  }

  #endShedding(at: number): void {
    if (this.#since === undefined || !this.#isCalm(at)) return
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
