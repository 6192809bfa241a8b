type End = (finish: number) => Promise<void>

/** What ends when a limiter closes. A part that comes after that ends at once. */
export class Endings {
  readonly #ends: End[] = []
  #finish: number | undefined

  /** Adds the end of a part. It gets the time that callers still have, in microseconds. */
  add(end: End): void {
    if (this.#finish === undefined) this.#ends.push(end)
    else void end(this.#finish)
  }

  /** Ends all parts. */
  async run(finish: number): Promise<void> {
    this.#finish = finish
    await Promise.all(this.#ends.map(async end => end(finish)))
  }
}
