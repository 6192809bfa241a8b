type End = (finish: number) => Promise<void>

/** What ends when a limiter closes. A part that comes after that ends at once. */
export class Endings {
  readonly #ends: End[] = []
  readonly #last: End[] = []
  #finish: number | undefined
  #isOver = false

  /**
   * Adds the end of a part. It gets the time that callers still have, in microseconds.
   *
   * @param isLast whether the part serves callers until the others have ended
   */
  add(end: End, isLast = false): void {
    const finish = isLast && !this.#isOver ? undefined : this.#finish
    if (finish === undefined) (isLast ? this.#last : this.#ends).push(end)
    else void end(finish)
  }

  /** Ends all parts. */
  async run(finish: number): Promise<void> {
    this.#finish = finish
    await Promise.all(this.#ends.map(async end => end(finish)))
    this.#isOver = true
    await Promise.all(this.#last.map(async end => end(finish)))
  }
}
