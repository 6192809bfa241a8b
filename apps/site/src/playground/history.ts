/** The counts of one stretch of time. */
export interface Stretch {
  admitted: number
  refused: number
}

/**
 * How many requests were admitted and refused, by stretches of time, of which the latest are kept. So the cost of drawing does not
 * depend on the number of requests.
 */
export class History {
  /** The length of a stretch in microseconds. */
  readonly length: number
  readonly #stretches: Stretch[]
  #newest = 0

  /** @param span the time that is kept, in microseconds */
  constructor(span: number, count = 60) {
    this.length = Math.max(1, Math.round(span / count))
    this.#stretches = Array.from({ length: count }, () => ({ admitted: 0, refused: 0 }))
  }

  get count(): number {
    return this.#stretches.length
  }

  add(at: number, allowed: boolean): void {
    this.advance(at)
    const stretch = this.#at(this.#newest)
    if (allowed) stretch.admitted++
    else stretch.refused++
  }

  /** Forgets the stretches that `now` leaves too far behind. */
  advance(now: number): void {
    const newest = Math.floor(now / this.length)
    const from = Math.max(this.#newest + 1, newest - this.count + 1)
    for (let index = from; index <= newest; index++)
      Object.assign(this.#at(index), { admitted: 0, refused: 0 })
    this.#newest = Math.max(this.#newest, newest)
  }

  /** The stretches with requests, with the microsecond at which each begins. Older than the start of the simulation: none. */
  *stretches(): Generator<readonly [from: number, stretch: Stretch]> {
    for (let index = Math.max(0, this.#newest - this.count + 1); index <= this.#newest; index++) {
      const stretch = this.#at(index)
      if (stretch.admitted + stretch.refused > 0) yield [index * this.length, stretch]
    }
  }

  #at(index: number): Stretch {
    return this.#stretches[index % this.count] as Stretch
  }
}
