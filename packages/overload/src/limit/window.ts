import type { RouteSample, WindowSummary } from './contract.ts'

const LEAST_MS = 100
const LEAST_SAMPLES = 20
const LONG_MS = 1000
const UNKNOWN_MS = 200
const LONGEST_MS = 5000
// Below this factor the requests in flight are as those that ended.
const CENSORED_FROM = 1.5

/** The samples of one route in the present window. */
class RouteSums {
  count = 0
  sum = 0
  squares = 0
  least = Number.POSITIVE_INFINITY
}

/** Collects what happens until there is enough to judge: about 100 ms and 20 samples. */
export class Window {
  refused = 0
  admitted = 0
  peak = 0
  #ages = 0
  readonly #routes = new Map<string, RouteSums>()
  #start: number
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

  /** Notes a request that was admitted, and how long it has waited for the loop. */
  admit(age: number, inFlight: number): void {
    this.admitted++
    this.#ages += age
    if (inFlight > this.peak) this.peak = inFlight
  }

  /** Adds the time that so many requests in flight have spent since the last call. Call it before their number changes. */
  spend(now: number, inFlight: number): void {
    this.#area += inFlight * (now - this.#areaAt)
    this.#areaAt = now
  }

  /** Notes how long a request took inside. */
  sample(route: string, inside: number): void {
    this.#samples++
    let sums = this.#routes.get(route)
    if (sums === undefined) this.#routes.set(route, (sums = new RouteSums()))
    sums.count++
    sums.sum += inside
    sums.squares += inside * inside
    if (inside < sums.least) sums.least = inside
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
    // Nothing is known yet, and requests are refused.
    if (this.#routes.size === 0 && this.refused > 0) return duration >= UNKNOWN_MS
    const spans = this.#completions > 0 ? (2 * this.#held) / this.#completions : 0
    if (this.#samples >= LEAST_SAMPLES && duration >= spans) return true
    return duration >= Math.min(LONGEST_MS, Math.max(LONG_MS, spans))
  }

  /** Sums the window up, and begins the next one. */
  close(now: number, inFlight: number, enforced: boolean, loopMs: number): WindowSummary {
    this.spend(now, inFlight)
    const routes = new Map<string, RouteSample>()
    for (const [route, sums] of this.#routes) {
      if (sums.count === 0) continue
      const insideMs = sums.sum / sums.count
      const variance = Math.max(0, sums.squares / sums.count - insideMs * insideMs)
      const errorMs = Math.sqrt(variance / sums.count)
      routes.set(route, { samples: sums.count, insideMs, errorMs, leastMs: sums.least })
      sums.count = 0
      sums.sum = 0
      sums.squares = 0
      sums.least = Number.POSITIVE_INFINITY
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
      ageMs: this.admitted > 0 ? this.#ages / this.admitted : 0,
      censored: censored < CENSORED_FROM ? 1 : censored,
      enforced,
      loopMs,
      routes,
    }
    this.refused = 0
    this.admitted = 0
    this.peak = inFlight
    this.#ages = 0
    this.#start = now
    this.#inFlightBefore = inFlight
    this.#samples = 0
    this.#completions = 0
    this.#held = 0
    this.#area = 0
    return summary
  }
}
