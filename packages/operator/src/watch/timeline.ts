/** The counts of one second. */
const SERIES = ['allowed', 'refused', 'exempt', 'degraded'] as const
type Series = (typeof SERIES)[number]

/** Counts per step of time, oldest first. The last step has just begun. */
export interface Counts extends Readonly<Record<Series, readonly number[]>> {
  /** The beginning of the last step, in Unix seconds. */
  readonly second: number
}

/** How many steps of how many seconds are counted. */
export interface Span {
  readonly steps: number
  readonly seconds: number
}

/** Two minutes by the second, and an hour by the quarter of a minute, so that a report has room for both. */
export const MINUTES: Span = { steps: 120, seconds: 1 }
export const HOUR: Span = { steps: 240, seconds: 15 }

/** Counts decisions per step of time for the last ones, in a ring of fixed size. */
export class Timeline {
  readonly #span: Span
  readonly #counts: Record<Series, Uint32Array>
  // The step that each place holds. A place of an older round counts as empty.
  readonly #steps: Float64Array

  constructor(span: Span) {
    this.#span = span
    const column = (): Uint32Array => new Uint32Array(span.steps)
    this.#counts = { allowed: column(), refused: column(), exempt: column(), degraded: column() }
    this.#steps = new Float64Array(span.steps)
  }

  /** @param now Unix milliseconds */
  count(series: Series, now: number): void {
    const { steps, seconds } = this.#span
    const step = Math.floor(now / 1000 / seconds)
    const at = step % steps
    if (this.#steps[at] !== step) {
      this.#steps[at] = step
      for (const name of SERIES) this.#counts[name][at] = 0
    }
    this.#counts[series][at]!++
  }

  read(now: number): Counts {
    const { steps, seconds } = this.#span
    const last = Math.floor(now / 1000 / seconds)
    const column = (name: Series): number[] =>
      Array.from({ length: steps }, (_, i) => {
        const step = last - steps + 1 + i
        const at = step % steps
        return this.#steps[at] === step ? this.#counts[name][at]! : 0
      })
    return {
      second: last * seconds,
      allowed: column('allowed'),
      refused: column('refused'),
      exempt: column('exempt'),
      degraded: column('degraded'),
    }
  }
}
