import type { RouteSample, WindowSummary } from './contract.ts'

const LEAST_MS = 100
const LEAST_SAMPLES = 20
const LONG_MS = 1000
const LONGEST_MS = 5000
// Below this factor the requests in flight are as those that ended.
const CENSORED_FROM = 1.5

/** The samples of one route. */
class RouteSums {
  count = 0
  sum = 0
  squares = 0
  least = Number.POSITIVE_INFINITY

  add(inside: number): void {
    this.count++
    this.sum += inside
    this.squares += inside * inside
    this.least = Math.min(this.least, inside)
  }

  get sample(): RouteSample {
    const insideMs = this.sum / this.count
    const variance = Math.max(0, this.squares / this.count - insideMs * insideMs)
    return { samples: this.count, insideMs, errorMs: Math.sqrt(variance / this.count), leastMs: this.least }
  }
}

/** Collects what happens until there is enough to judge: about 100 ms and 20 samples. */
export class Window {
  refused = 0
  readonly #start: number
  readonly #before: number
  readonly #routes = new Map<string, RouteSums>()
  #admitted = 0
  #ages = 0
  #peak: number
  #samples = 0
  #completions = 0
  #held = 0
  #area = 0
  #areaAt: number

  constructor(now: number, inFlight: number) {
    this.#start = now
    this.#areaAt = now
    this.#before = inFlight
    this.#peak = inFlight
  }

  /** Notes a request that was admitted, and how long it has waited for the loop. */
  admit(age: number, inFlight: number): void {
    this.#admitted++
    this.#ages += age
    if (inFlight > this.#peak) this.#peak = inFlight
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
    sums.add(inside)
  }

  /** @param held how long the requests had their places, all together, in milliseconds */
  complete(count: number, held: number): void {
    this.#completions += count
    this.#held += held
  }

  /** Whether there is enough to judge. */
  isDue(now: number, hasLearned: boolean): boolean {
    const duration = now - this.#start
    if (duration < LEAST_MS) return false
    // Nothing is known yet, and requests are refused.
    if (!hasLearned && this.refused > 0) return true
    const spans = this.#completions > 0 ? (2 * this.#held) / this.#completions : 0
    if (this.#samples >= LEAST_SAMPLES && duration >= spans) return true
    return duration >= Math.min(LONGEST_MS, Math.max(LONG_MS, spans))
  }

  /** Sums the window up. */
  close(now: number, inFlight: number, enforced: boolean, loopMs: number): WindowSummary {
    this.spend(now, inFlight)
    const censored = this.#held > 0 ? this.#area / this.#held : 1
    return {
      at: now,
      durationMs: now - this.#start,
      completions: this.#completions,
      refused: this.refused,
      admitted: this.#admitted,
      peak: this.#peak,
      before: this.#before,
      inFlight,
      ageMs: this.#admitted > 0 ? this.#ages / this.#admitted : 0,
      censored: censored < CENSORED_FROM ? 1 : censored,
      enforced,
      loopMs,
      routes: new Map(Array.from(this.#routes, ([route, sums]) => [route, sums.sample])),
    }
  }
}
