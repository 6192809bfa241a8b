import type { RouteSample } from './contract.ts'

// What a fast handler may take longer, in milliseconds, before it counts as slow.
const SLACK_MS = 10
const FALL = 0.1
const RISE = 0.01

/** The time that each route takes when nothing queues. */
export class Baselines {
  readonly #times = new Map<string, number>()

  get times(): ReadonlyMap<string, number> {
    return this.#times
  }

  /** The time above which a queue stands: twice the baseline, and at least 10 ms more. In milliseconds. */
  targetOf(route: string, sample: RouteSample): number {
    let base = this.#times.get(route)
    if (base === undefined) this.#times.set(route, (base = sample.insideMs))
    return base + Math.max(base, SLACK_MS)
  }

  /**
   * Follows the samples: quickly down, and slowly up, if nothing queues. A long overload must not become normal. A fall has to be
   * larger than the error of the mean, or the chance of a few quick requests would lower the baseline of a varied route.
   */
  learn(routes: ReadonlyMap<string, RouteSample>, isCalm: boolean): void {
    for (const [route, { insideMs, errorMs }] of routes) {
      const base = this.#times.get(route)
      if (base === undefined) continue
      const most = insideMs + errorMs
      if (most < base) this.#times.set(route, base + (most - base) * FALL)
      else if (isCalm && insideMs > base) this.#times.set(route, base + (insideMs - base) * RISE)
    }
  }

  /** Takes what routes need now for their baselines. */
  replace(routes: ReadonlyMap<string, RouteSample>): void {
    for (const [route, { insideMs }] of routes) this.#times.set(route, insideMs)
  }

  set(route: string, base: number): void {
    this.#times.set(route, base)
  }
}
