/** The units that a policy had left for a client, over time. */
export class Levels {
  /** Pairs of an instant in microseconds and the units left then, the oldest first. */
  readonly points: (readonly [at: number, left: number])[] = []
  readonly #span: number

  /** @param span the time that is kept, in microseconds */
  constructor(span: number) {
    this.#span = span
  }

  add(at: number, left: number): void {
    const [last = Number.NEGATIVE_INFINITY] = this.points.at(-1) ?? []
    // More points than pixels cannot be seen.
    if (at - last < this.#span / 720) return
    this.points.push([at, left])
    const old = this.points.findIndex(([then]) => then >= at - this.#span)
    if (old > 1) this.points.splice(0, old - 1)
  }
}
