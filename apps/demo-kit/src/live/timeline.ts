/** The counts of one second. */
const SERIES = ['allowed', 'refused', 'exempt', 'degraded'] as const
export type Series = (typeof SERIES)[number]

/** The counts of the last seconds, oldest first; the last one has just begun. */
export type Counts = Readonly<Record<Series, readonly number[]>>

/** Counts per second for the last two minutes, in a ring of fixed size. */
export class Timeline {
  readonly #length: number
  readonly #counts: Record<Series, Uint32Array>
  // The second that each place holds. A place of an older round counts as empty.
  readonly #seconds: Float64Array

  constructor(length = 120) {
    this.#length = length
    this.#seconds = new Float64Array(length)
    this.#counts = {
      allowed: new Uint32Array(length),
      refused: new Uint32Array(length),
      exempt: new Uint32Array(length),
      degraded: new Uint32Array(length),
    }
  }

  /** @param now Unix milliseconds */
  count(series: Series, now: number): void {
    const second = Math.floor(now / 1000)
    const at = second % this.#length
    if (this.#seconds[at] !== second) {
      this.#seconds[at] = second
      for (const name of SERIES) this.#counts[name][at] = 0
    }
    this.#counts[series][at]!++
  }

  read(now: number): Counts {
    const last = Math.floor(now / 1000)
    const column = (name: Series): number[] =>
      Array.from({ length: this.#length }, (_, i) => {
        const second = last - this.#length + 1 + i
        const at = second % this.#length
        return this.#seconds[at] === second ? this.#counts[name][at]! : 0
      })
    return {
      allowed: column('allowed'),
      refused: column('refused'),
      exempt: column('exempt'),
      degraded: column('degraded'),
    }
  }
}
