const SECONDS = 60

/** In how many of the last 60 seconds something happened. */
export class SecondsSeen {
  readonly #seen: number[] = []

  /** @param now Unix milliseconds */
  note(now: number): void {
    const second = Math.floor(now / 1000)
    this.#seen[second % SECONDS] = second
  }

  /** @param now Unix milliseconds */
  read(now: number): number {
    const since = Math.floor(now / 1000) - SECONDS
    return this.#seen.filter(second => second > since).length
  }
}
