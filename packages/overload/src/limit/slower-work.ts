import type { Baselines } from './baselines.ts'
import type { Bounds, WindowSummary } from './contract.ts'

// A cut to this share of the places has to show an effect.
const CHECK_AT = 0.6
// From this excess of latency on, one window is enough.
const CLEAR = 4
const QUICKEST = 0.5
const TRIES = 2
const TRIES_AT_MIN = 5
const RAISE = 2

/** How far latency is above its target, as factors. Each route counts by its share of the places. */
export interface Excess {
  /** With the wait for the loop, and with what the requests in flight will still take. */
  readonly whole: number
  /** The time inside alone. */
  readonly own: number
  /** That of the quickest requests. */
  readonly quickest: number
}

/** The state of the limit before the first of several cuts in a row. */
interface FirstCut {
  readonly limit: number
  readonly places: number
  readonly rate: number
}

/**
 * Tells slower work from a queue by the effect of cuts. If requests queue with us, fewer in flight complete as many per second,
 * and wait less. If the work itself takes longer, for instance because a downstream slows down, fewer in flight complete fewer,
 * and take as long. Then the present time becomes the baseline, and the limit rises.
 */
export class SlowerWork {
  rebaselines = 0
  readonly #bounds: Bounds
  readonly #baselines: Baselines
  #first: FirstCut | undefined
  #tries = 0

  constructor(bounds: Bounds, baselines: Baselines) {
    this.#bounds = bounds
    this.#baselines = baselines
  }

  /** Notes a cut that was made elsewhere. */
  begin({ limit, places, rate }: FirstCut): void {
    const { limit: l = 0, places: p = 0, rate: r = 0 } = this.#first ?? {}
    this.#first = { limit: l + limit, places: p + places, rate: r + rate }
  }

  /** The limit that the work needs now, if it has become slower; undefined if another cut should follow. */
  limitAfter(window: WindowSummary, limit: number, { own, quickest }: Excess): number | undefined {
    const rate = rateOf(window)
    const places = Math.min(limit, window.peak)
    this.#first ??= { limit, places, rate }
    const share = places / this.#first.places
    // Slower work completes in proportion to the places, a queue as many as before. The root lies in the middle. Where some
    // requests are as quick as ever, such as those that a cache answers, the cut has refused these too.
    const isSlower = share <= CHECK_AT && rate <= this.#first.rate * Math.sqrt(share) && quickest > QUICKEST
    const isLowest = limit <= this.#bounds.min
    // In shadow mode a cut has no effect, so none can be missed.
    if (!window.enforced || own <= 1 || !(isSlower || isLowest)) {
      this.#tries = 0
      return undefined
    }
    this.#tries++
    if (this.#tries < (isSlower ? (own > CLEAR ? 1 : TRIES) : TRIES_AT_MIN)) return undefined
    return this.#accept(window, this.#first.limit)
  }

  /** Call it once nobody is refused. */
  forget(): void {
    this.#first = undefined
    this.#tries = 0
  }

  #accept(window: WindowSummary, limit: number): number {
    this.#baselines.replace(window.routes)
    this.rebaselines++
    this.forget()
    return limit * RAISE
  }
}

function rateOf({ completions, durationMs }: WindowSummary): number {
  return completions / durationMs
}
