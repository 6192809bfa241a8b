/** The counts of one second. */
const SERIES = ['allowed', 'refused', 'exempt', 'degraded'] as const
type Series = (typeof SERIES)[number]

/** Counts per second, oldest first. The last second has just begun. */
export interface Counts extends Readonly<Record<Series, readonly number[]>> {
  /** The last second, in Unix seconds. */
  readonly second: number
}

/** How many seconds are counted: two minutes. */
export const SECONDS = 120

/** Counts decisions per second for the last two minutes, in a ring of fixed size. */
export class Timeline {
  readonly #counts: Record<Series, Uint32Array> = {
    allowed: new Uint32Array(SECONDS),
    refused: new Uint32Array(SECONDS),
    exempt: new Uint32Array(SECONDS),
    degraded: new Uint32Array(SECONDS),
  }
  // The second that each place holds. A place of an older round counts as empty.
  readonly #seconds = new Float64Array(SECONDS)

  /** @param now Unix milliseconds */
  count(series: Series, now: number): void {
    const second = Math.floor(now / 1000)
    const at = second % SECONDS
    if (this.#seconds[at] !== second) {
      this.#seconds[at] = second
      for (const name of SERIES) this.#counts[name][at] = 0
    }
    this.#counts[series][at]!++
  }

  read(now: number): Counts {
    const last = Math.floor(now / 1000)
    const column = (name: Series): number[] =>
      Array.from({ length: SECONDS }, (_, i) => {
        const second = last - SECONDS + 1 + i
        const at = second % SECONDS
        return this.#seconds[at] === second ? this.#counts[name][at]! : 0
      })
    return {
      second: last,
      allowed: column('allowed'),
      refused: column('refused'),
      exempt: column('exempt'),
      degraded: column('degraded'),
    }
  }
}
