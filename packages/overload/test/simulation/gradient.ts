import type { Bounds, Controller, Finding, WindowSummary } from '../../src/limit/contract.ts'

const INITIAL = 20
const TOLERANCE = 1.5
const QUEUE = 4
const SMOOTHING = 0.2
// The long average forgets in about this many windows.
const LONG = 600

/**
 * Netflix's Gradient2 on the turn clock: it compares the latency now with a long average of it, and grows by a small queue.
 *
 * Source: `Gradient2Limit.java` of github.com/Netflix/concurrency-limits (Apache 2.0), with its default constants. Latency here
 * counts from the start of the loop's turn.
 */
export class Gradient implements Controller {
  limit: number
  cuts = 0
  readonly #bounds: Bounds
  #long = 0
  #windows = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
    this.limit = Math.min(bounds.max, Math.max(bounds.min, INITIAL))
  }

  get finding(): Finding {
    return { baselines: new Map([['all', this.#long]]), rebaselines: 0 }
  }

  judge({ routes, leastAgeMs, peak, enforced }: WindowSummary): void {
    let samples = 0
    let total = 0
    for (const route of routes.values()) {
      samples += route.samples
      total += route.samples * route.insideMs
    }
    if (samples === 0) return
    const short = total / samples + leastAgeMs
    this.#average(short)
    // A limit that nobody reaches says nothing about a higher one.
    if (peak < this.limit / 2) return
    const gradient = Math.max(0.5, Math.min(1, (TOLERANCE * this.#long) / Math.max(short, 0.01)))
    const wanted = this.limit * gradient + QUEUE
    const { min, max } = this.#bounds
    const next = Math.min(max, Math.max(min, this.limit * (1 - SMOOTHING) + wanted * SMOOTHING))
    if (enforced || next >= this.limit) this.limit = next
  }

  #average(short: number): void {
    this.#windows++
    const factor = this.#windows < 10 ? 1 / this.#windows : 2 / (LONG + 1)
    this.#long += (short - this.#long) * factor
    // A long average that stays far above the present comes from an overload that has passed.
    if (this.#long / short > 2) this.#long *= 0.95
  }
}
