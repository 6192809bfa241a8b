import { Baselines } from './baselines.ts'
import type { Bounds, Controller, Finding, WindowSummary } from './contract.ts'
import { type Excess, SlowerWork } from './slower-work.ts'

const INITIAL = 20
// The limit of a route that has answered nothing yet.
const UNKNOWN = 50
const DEEPEST_CUT = 0.3
// At rest there is room for three times the usual peak, and for what the process completes in this time.
const REST_PEAKS = 3
const REST_MS = 150
const FADE = 0.98
// A queue that grows is cut before it fills the limit if it fills this share of it, or if requests wait so long for the loop.
const NEARLY_FULL = 0.8
// While so much of what is admitted ends, and is quick, those in flight wait for something that the others do not wait for.
const KEEPS_UP = 0.7
// While nothing queues, and nothing was cut for so long, the limit grows as quickly as in TCP's slow start: it is too low for the
// work, such as that of a downstream of which many answers are awaited at once.
const FIRST_MS = 5000
const NO_QUEUE = 0.55

/** A limit that routes share. */
interface Elsewhere {
  /** Whether some route has joined it. */
  isShared(): boolean
  /** Lets the route of this limit join, cut to a share of its places. */
  join(window: WindowSummary, share: number): void
}

/**
 * Looks for a standing queue: requests that wait for the loop or take longer inside than usual, while others are refused or the
 * number in flight grows. It lowers the limit until the queue is gone, and raises it while there is none.
 *
 * A longer time inside may be our queue (a pool, the processor) or slower work (a downstream). Nothing that can be seen tells
 * them apart. So it looks at the effect of its cuts, see {@link SlowerWork}.
 *
 * Ideas from CoDel (Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 2012: a standing queue is what remains in the
 * least of a window), TCP Vegas (Brakmo and Peterson 1995: the queue is what latency adds to a baseline), and Netflix's Gradient
 * (compare by ratio).
 */
export class StandingQueue implements Controller {
  limit: number
  cuts = 0
  /** The limit that routes share in which a queue stands. Undefined: this is it, or there is none. */
  elsewhere: Elsewhere | undefined = undefined
  readonly #bounds: Bounds
  readonly #baselines = new Baselines()
  readonly #slower: SlowerWork
  #peak = 0
  #hasLearned = false
  #cutAt = Number.NEGATIVE_INFINITY

  constructor(bounds: Bounds) {
    this.#bounds = bounds
    this.#slower = new SlowerWork(bounds, this.#baselines)
    this.limit = this.#bounded(UNKNOWN)
  }

  /** Takes a slow route in. Its requests are cut to a share, whose effect will tell slower work from a queue. */
  admit(
    { inFlight, completions, durationMs, at, peak }: WindowSummary,
    bases: ReadonlyMap<string, number>,
    share: number,
  ): void {
    for (const [route, base] of bases) this.#baselines.set(route, base)
    const places = Math.max(1, inFlight, peak)
    this.#slower.begin({ limit: places, places, rate: completions / durationMs })
    this.limit = this.#bounded((this.#hasLearned ? this.limit : 0) + places * share)
    this.#hasLearned = true
    this.#cutAt = at
  }

  /** Takes over what was found while its route shared a limit. */
  settle(route: string, { limit, finding }: StandingQueue): void {
    this.#baselines.set(route, finding.baselines.get(route)!)
    this.limit = limit
  }

  get finding(): Finding {
    return {
      baselines: this.#baselines.times,
      rebaselines: this.#slower.rebaselines,
    }
  }

  judge(window: WindowSummary): void {
    const { routes, refused, inFlight, before, peak } = window
    if (routes.size === 0) {
      // A pool would have answered some by now. So the work takes long.
      if (!this.#hasLearned && refused > 0) this.limit = this.#bounded(this.limit * 4)
      return
    }
    if (!this.#hasLearned) {
      this.#hasLearned = true
      const known = refused > 0 ? peak : REST_PEAKS * peak
      this.limit = this.#bounded(Math.max(INITIAL, this.limit > UNKNOWN ? this.limit : known))
    }
    const excess = this.#excess(window)
    const { whole } = excess
    const grows = inFlight > before * 1.1 + 2
    const isCrowded = grows && inFlight >= this.limit * NEARLY_FULL
    if (whole > 1 && (refused > 0 || isCrowded || this.elsewhere?.isShared())) {
      if (this.elsewhere === undefined) this.#cut(window, excess)
      else this.elsewhere.join(window, Math.max(DEEPEST_CUT, 1 / whole))
    } else if (refused === 0) this.#rest(window, whole <= 1 && !grows)
    else this.#grow(window, whole)
    this.#baselines.learn(routes, whole <= 1 && refused === 0)
  }

  #excess({ routes, censored, completions, admitted, loopMs }: WindowSummary): Excess {
    let own = 0
    let quickest = 0
    let weights = 0
    for (const [route, sample] of routes) {
      const target = this.#baselines.targetOf(route, sample) + loopMs
      const weight = sample.samples * Math.max(sample.insideMs, 0.01)
      own += (weight * sample.insideMs) / target
      quickest += (weight * sample.leastMs) / target
      weights += weight
    }
    own /= weights
    const keepsUp = own <= 1 && completions >= KEEPS_UP * admitted
    return { whole: (keepsUp ? 1 : censored) * own, own, quickest: quickest / weights }
  }

  #cut(window: WindowSummary, excess: Excess): void {
    const raised = this.#slower.limitAfter(window, this.limit, excess)
    if (raised !== undefined) {
      this.limit = this.#bounded(raised)
      return
    }
    const next = this.#bounded(Math.min(this.limit, window.peak) * Math.max(DEEPEST_CUT, 1 / excess.whole))
    if (next < this.limit) this.cuts++
    this.#cutAt = window.at
    this.limit = next
  }

  #grow({ at, refused, admitted }: WindowSummary, whole: number): void {
    const isFirst = at - this.#cutAt > FIRST_MS && whole < NO_QUEUE
    const isFar = whole < 0.6 || refused / (refused + admitted) < 0.05
    const factor = isFirst ? 2 : isFar ? 0.5 : whole < 0.75 ? 0.25 : 0.1
    this.limit = this.#bounded(this.limit + Math.max(1, this.limit * factor))
  }

  /** Nobody is refused: the limit goes to where bursts pass. */
  #rest({ peak, completions, durationMs }: WindowSummary, isSteady: boolean): void {
    this.#slower.forget()
    if (isSteady) this.#peak = Math.max(peak, this.#peak * FADE)
    const rest = Math.max(INITIAL, REST_PEAKS * this.#peak, (REST_MS * completions) / durationMs)
    this.limit = this.#bounded(
      this.limit < rest ? Math.min(rest, this.limit * 2) : Math.max(rest, this.limit * FADE),
    )
  }

  #bounded(limit: number): number {
    return Math.min(this.#bounds.max, Math.max(this.#bounds.min, limit))
  }
}
