import type { Baselines } from './baselines.ts'
import type { Controller, RouteSample, WindowSummary } from './contract.ts'
import { OTHERS } from './window.ts'

// Routes are judged with the others again once their own limit has refused nothing for so long.
const CALM_AFTER_MS = 2000
// Fewer samples of a route tell nothing by themselves.
const LEAST_SAMPLES = 3
const SMOOTHING = 0.1
// So many waits a handler has at most, on average.
const LOOP_WAITS = 4

/** The facts about slow routes from which their own limit starts. */
export interface Start {
  /** The routes' times inside when nothing queues, in milliseconds. */
  readonly baselines: ReadonlyMap<string, number>
  /** How many of them are in flight. */
  readonly inFlight: number
  /** How many of them end, in requests a millisecond. */
  readonly rate: number
  /** How far their time inside is above its target, as a factor. */
  readonly excess: number
  /** When, in milliseconds of the turn clock. */
  readonly at: number
}

/** The limit of the routes that are judged apart. */
export interface ApartController extends Controller {
  /** When a window with refusals ended last, in milliseconds of the turn clock. */
  readonly refusedAt: number
  /** Takes a further route in. */
  admit(route: string, base: number): void
}

/**
 * The routes that are judged apart: those that have become slow while most requests are of routes that are as quick as ever. Their
 * queue is their own, such as that of a pool which the others do not use, so a lower limit for all would refuse the others in vain.
 * They share one limit, because they may share what is full.
 */
export class Apart {
  readonly routes: Set<string> = new Set()
  #controller: ApartController | undefined
  // The rebaselines of earlier limits of slow routes.
  #rebaselines = 0
  /** How many requests of a route end while nothing queues, in requests a millisecond. */
  readonly #usual = new Map<string, number>()
  readonly #make: (start: Start) => ApartController

  constructor(make: (start: Start) => ApartController) {
    this.#make = make
  }

  /** How often a longer time of theirs was taken for normal. */
  get rebaselines(): number {
    return this.#rebaselines + (this.#controller?.finding.rebaselines ?? 0)
  }

  /** The controller of their limit. Undefined while there are none. */
  get controller(): Controller | undefined {
    return this.#controller
  }

  /** The samples of the routes that are judged together. */
  rest(routes: ReadonlyMap<string, RouteSample>): ReadonlyMap<string, RouteSample> {
    if (this.routes.size === 0) return routes
    return new Map([...routes].filter(([route]) => !this.routes.has(route)))
  }

  /**
   * Sets routes apart whose queue is their own. False if there are none. If the slow ones have most of the requests by now, all are
   * judged together again.
   */
  part({ at, durationMs, enforced, inFlight, ageMs, routes }: WindowSummary, baselines: Baselines): boolean {
    // In shadow mode a cut has no effect, not even on the routes themselves.
    if (!enforced) return false
    let [all, most, completed, held, area, excess] = [0, 0, 0, 0, 0, 0]
    const slow = new Map<string, number>()
    for (const [route, sample] of routes) {
      const { samples, insideMs } = sample
      // Slow requests end later, so those that have ended are too few.
      const requests = Math.max(samples, (this.#usual.get(route) ?? 0) * durationMs)
      all += requests
      if (this.routes.has(route)) {
        most += requests
        continue
      }
      const target = baselines.targetOf(route, sample)
      const base = baselines.times.get(route) ?? insideMs
      // A handler waits for the loop after each of its waits. So the loop, which is everybody's, may be why it is slow.
      if (insideMs <= target || insideMs - base <= LOOP_WAITS * ageMs) {
        // By Little's law: so many of the route are in flight.
        held += (samples * insideMs) / durationMs
        continue
      }
      most += requests
      completed += samples
      area += samples * insideMs
      excess += (samples * insideMs * insideMs) / target
      if (route !== OTHERS && samples >= LEAST_SAMPLES) slow.set(route, base)
    }
    if (most > all / 2) this.#rejoin(baselines)
    if (slow.size === 0 || most > all / 2) return false
    this.#controller ??= this.#make({
      baselines: slow,
      inFlight: Math.max(1, inFlight - held),
      rate: completed / durationMs,
      excess: excess / area,
      at,
    })
    for (const [route, base] of slow) {
      this.routes.add(route)
      this.#controller.admit(route, base)
    }
    return true
  }

  /** Notes how many requests the routes have, in a window in which nothing queued. */
  learn({ routes, durationMs }: WindowSummary): void {
    for (const [route, { samples }] of routes) {
      const rate = samples / durationMs
      const usual = this.#usual.get(route) ?? rate
      this.#usual.set(route, usual + (rate - usual) * SMOOTHING)
    }
  }

  /**
   * Lets routes be judged with the others again if they are calm, or if there are no others. What was found normal for them stays
   * normal.
   */
  rejoin({ at, routes }: WindowSummary, baselines: Baselines): void {
    const controller = this.#controller
    if (controller === undefined) return
    const isAlone = routes.size > 0 && this.rest(routes).size === 0
    if (isAlone || at - controller.refusedAt >= CALM_AFTER_MS) this.#rejoin(baselines)
  }

  #rejoin(baselines: Baselines): void {
    for (const [route, base] of this.#controller?.finding.baselines ?? []) baselines.set(route, base)
    this.#rebaselines = this.rebaselines
    this.routes.clear()
    this.#controller = undefined
  }
}
