import type { RouteSample, WindowSummary } from './controller.ts'

const LEAST_MS = 100
const LEAST_SAMPLES = 20
const LONG_MS = 1000
const LONGEST_MS = 5000
/** The most routes that are told apart. All others share one row. */
const MOST_ROUTES = 32
const OTHERS = 'other'
// Below this factor the requests in flight are as those that ended.
const CENSORED_FROM = 1.5

/** The samples of one route in the present window. */
export class RouteSums {
  count = 0
  sum = 0
  squares = 0
  /** The mean of the last windows, in milliseconds. 0 before the first. */
  usual = 0
}

/** Collects what happens until there is enough to judge: about 100 ms and 20 samples. */
export class Window {
  refused = 0
  admitted = 0
  peak = 0
  leastAge = Number.POSITIVE_INFINITY
  readonly #routes = new Map<string, RouteSums>()
  #start: number
  #stallsBefore = 0
  #inFlightBefore = 0
  #samples = 0
  #completions = 0
  #held = 0
  #area = 0
  #areaAt: number

  constructor(now: number) {
    this.#start = now
    this.#areaAt = now
  }

  get start(): number {
    return this.#start
  }

  /** The sums of a route, the same object each time. */
  sumsOf(route: string): RouteSums {
    let sums = this.#routes.get(route)
    if (sums === undefined) {
      if (this.#routes.size >= MOST_ROUTES && route !== OTHERS) return this.sumsOf(OTHERS)
      this.#routes.set(route, (sums = new RouteSums()))
    }
    return sums
  }

  /** Adds the time that so many requests in flight have spent since the last call. Call it before their number changes. */
  spend(now: number, inFlight: number): void {
    this.#area += inFlight * (now - this.#areaAt)
    this.#areaAt = now
  }

  sample(sums: RouteSums, inside: number): void {
    this.#samples++
    sums.count++
    sums.sum += inside
    sums.squares += inside * inside
  }

  /** @param held how long the requests had their places, all together, in milliseconds */
  complete(count: number, held: number): void {
    this.#completions += count
    this.#held += held
  }

  /** Whether there is enough to judge. */
  isDue(now: number): boolean {
    const duration = now - this.#start
    if (duration < LEAST_MS) return false
    const spans = this.#completions > 0 ? (2 * this.#held) / this.#completions : 0
    if (this.#samples >= LEAST_SAMPLES && duration >= spans) return true
    return duration >= Math.min(LONGEST_MS, Math.max(LONG_MS, spans))
  }

  /** Sums the window up, and begins the next one. */
  close(now: number, inFlight: number, stalls: number, enforced: boolean): WindowSummary {
    this.spend(now, inFlight)
    const routes = new Map<string, RouteSample>()
    for (const [route, sums] of this.#routes) {
      if (sums.count === 0) continue
      const insideMs = sums.sum / sums.count
      const variance = Math.max(0, sums.squares / sums.count - insideMs * insideMs)
      sums.usual = sums.usual === 0 ? insideMs : (sums.usual + insideMs) / 2
      routes.set(route, { samples: sums.count, insideMs, errorMs: Math.sqrt(variance / sums.count) })
      sums.count = 0
      sums.sum = 0
      sums.squares = 0
    }
    const censored = this.#held > 0 ? this.#area / this.#held : 1
    const summary: WindowSummary = {
      at: now,
      durationMs: now - this.#start,
      completions: this.#completions,
      refused: this.refused,
      admitted: this.admitted,
      peak: this.peak,
      before: this.#inFlightBefore,
      inFlight,
      leastAgeMs: Number.isFinite(this.leastAge) ? this.leastAge : 0,
      censored: censored < CENSORED_FROM ? 1 : censored,
      stalled: stalls !== this.#stallsBefore,
      enforced,
      routes,
    }
    this.refused = 0
    this.admitted = 0
    this.peak = inFlight
    this.leastAge = Number.POSITIVE_INFINITY
    this.#start = now
    this.#stallsBefore = stalls
    this.#inFlightBefore = inFlight
    this.#samples = 0
    this.#completions = 0
    this.#held = 0
    this.#area = 0
    return summary
  }
}
