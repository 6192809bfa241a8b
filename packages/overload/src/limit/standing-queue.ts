import { Apart, type ApartController, type Start } from './apart.ts'
import { Baselines } from './baselines.ts'
import type { Bounds, Finding, WindowSummary } from './contract.ts'
import { type Excess, SlowerWork } from './slower-work.ts'

const INITIAL = 20
const DEEPEST_CUT = 0.3
// At rest there is room for three times the usual peak, and for what the process completes in this time.
const REST_PEAKS = 3
const REST_MS = 150
const FADE = 0.98
// A queue that grows is cut before it fills the limit if it fills this share of it, or if requests wait so long for the loop.
const NEARLY_FULL = 0.8
const LONG_AGE_MS = 300
// While nothing queues, and nothing was cut for so long, the limit grows as quickly as in TCP's slow start: it is too low for the
// work, such as that of a downstream of which many answers are awaited at once.
const FIRST_MS = 5000
const NO_QUEUE = 0.55
// A queue lasts that stands for so many windows, and has grown so much meanwhile.
const LASTING_WINDOWS = 8
const LASTING_GROWTH = 2.5

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
export class StandingQueue implements ApartController {
  limit: number
  cuts = 0
  refusedAt: number
  readonly #bounds: Bounds
  readonly #baselines = new Baselines()
  readonly #slower: SlowerWork
  readonly apart: Apart | undefined
  #peak = 0
  #cutAt = Number.NEGATIVE_INFINITY
  #slow: { windows: number; readonly before: number } | undefined

  /** @param start given for the limit of routes that are judged apart */
  constructor(bounds: Bounds, start?: Start) {
    this.#bounds = bounds
    this.#slower = new SlowerWork(bounds, this.#baselines)
    this.limit = this.#bounded(INITIAL)
    this.refusedAt = start?.at ?? 0
    if (start === undefined) this.apart = new Apart(found => new StandingQueue(bounds, found))
    else this.#begin(start)
  }

  /** Begins with a first cut, whose effect will tell slower work from a queue. */
  #begin({ baselines, inFlight, rate, excess, at }: Start): void {
    for (const [route, base] of baselines) this.admit(route, base)
    this.#slower.begin({ limit: inFlight, places: inFlight, rate })
    this.#cutAt = at
    this.limit = this.#bounded(inFlight * Math.max(DEEPEST_CUT, 1 / excess))
  }

  admit(route: string, base: number): void {
    this.#baselines.set(route, base)
  }

  get finding(): Finding {
    return {
      baselines: this.#baselines.times,
      rebaselines: this.#slower.rebaselines + (this.apart?.rebaselines ?? 0),
    }
  }

  judge(seen: WindowSummary): void {
    if (seen.refused > 0) this.refusedAt = seen.at
    this.apart?.rejoin(seen, this.#baselines)
    const routes = this.apart?.rest(seen.routes) ?? seen.routes
    if (routes.size === 0) return
    // The loop is everybody's, so the limit of a route does not look at it.
    const window = { ...seen, routes, leastAgeMs: this.apart === undefined ? 0 : seen.leastAgeMs }
    const { refused, inFlight, before, leastAgeMs } = window
    const excess = this.#excess(window)
    const { whole } = excess
    this.#slower.review(window)
    const grows = inFlight > before * 1.1 + 2
    const isCrowded = grows && (inFlight >= this.limit * NEARLY_FULL || leastAgeMs > LONG_AGE_MS)
    const isLasting = this.#lasts(window, whole > 1)
    if (whole > 1 && (refused > 0 || isCrowded || isLasting)) {
      if (this.apart?.part(seen, this.#baselines) !== true) this.#cut(window, excess)
    } else if (refused === 0) this.#rest(window, whole <= 1 && !grows)
    else this.#grow(window, whole)
    const isCalm = whole <= 1 && refused === 0
    this.#baselines.learn(routes, isCalm)
    if (isCalm) this.apart?.learn(window)
  }

  #excess({ routes, leastAgeMs, censored }: WindowSummary): Excess {
    let whole = 0
    let own = 0
    let quickest = 0
    let weights = 0
    for (const [route, sample] of routes) {
      const target = this.#baselines.targetOf(route, sample)
      const weight = sample.samples * Math.max(sample.insideMs, 0.01)
      whole += (weight * (leastAgeMs + sample.insideMs)) / target
      own += (weight * sample.insideMs) / target
      quickest += (weight * sample.leastMs) / target
      weights += weight
    }
    return {
      whole: (censored * whole) / weights,
      own: own / weights,
      quickest: quickest / weights,
    }
  }

  /** Whether a queue stands for some windows already, and has grown. Needed where the limit at rest is far above the queue. */
  #lasts({ before, inFlight }: WindowSummary, isSlow: boolean): boolean {
    if (!isSlow) {
      this.#slow = undefined
      return false
    }
    this.#slow ??= { windows: 0, before }
    this.#slow.windows++
    const hasGrown = inFlight >= INITIAL && inFlight > LASTING_GROWTH * this.#slow.before
    return this.#slow.windows >= LASTING_WINDOWS && hasGrown
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
  #rest({ peak, stalled, completions, durationMs }: WindowSummary, isSteady: boolean): void {
    this.#slower.forget()
    // A stall of the machine lets requests pile up, which says nothing about usual peaks.
    if (isSteady && !stalled) this.#peak = Math.max(peak, this.#peak * FADE)
    const rest = Math.max(INITIAL, REST_PEAKS * this.#peak, (REST_MS * completions) / durationMs)
    this.limit = this.#bounded(
      this.limit < rest ? Math.min(rest, this.limit * 2) : Math.max(rest, this.limit * FADE),
    )
  }

  #bounded(limit: number): number {
    return Math.min(this.#bounds.max, Math.max(this.#bounds.min, limit))
  }
}
