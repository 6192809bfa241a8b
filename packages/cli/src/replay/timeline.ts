/** One stretch of the log: when it begins, in Unix milliseconds, and how many requests passed and were refused in it. */
export type Stretch = [from: number, allowed: number, refused: number]

/** Counts requests over time in at most so many stretches of equal length. The length doubles when they do not suffice. */
export class Timeline {
  readonly #most: number
  #length = 1000
  #stretches = new Map<number, Stretch>()
  #last: Stretch = [Number.NaN, 0, 0]

  constructor(most: number) {
    this.#most = most
  }

  add(at: number, allowed: boolean): void {
    const last = this.#last
    const stretch = at >= last[0] && at < last[0] + this.#length ? last : this.#find(at)
    stretch[allowed ? 1 : 2]++
  }

  /** The stretches in which there was a request, in order. */
  stretches(): readonly Stretch[] {
    return [...this.#stretches.values()].sort(([a], [b]) => a - b)
  }

  /** The length of a stretch, in milliseconds. */
  get length(): number {
    return this.#length
  }

  #find(at: number): Stretch {
    let found = this.#stretches.get(Math.floor(at / this.#length))
    if (found === undefined) {
      while (this.#stretches.size >= this.#most) this.#merge()
      const number = Math.floor(at / this.#length)
      found = this.#stretches.get(number) ?? [number * this.#length, 0, 0]
      this.#stretches.set(number, found)
    }
    this.#last = found
    return found
  }

  #merge(): void {
    this.#length *= 2
    const merged = new Map<number, Stretch>()
    for (const [from, allowed, refused] of this.#stretches.values()) {
      const number = Math.floor(from / this.#length)
      const stretch = merged.get(number) ?? [number * this.#length, 0, 0]
      stretch[1] += allowed
      stretch[2] += refused
      merged.set(number, stretch)
    }
    this.#stretches = merged
  }
}
