/** The keys that one policy counted: how many requests each made, and how many were refused. */
export class KeyTally {
  readonly #index = new Map<string, number>()
  readonly #most: number
  /** Requests by the number of the key. */
  #requests = new Uint32Array(1024)
  #refused = new Uint32Array(1024)
  /** One bit for each candidate limit that refused the key at least once. */
  #marks = new Uint32Array(1024)
  #lastKey = ''
  #lastIndex = -1
  /** The requests of keys that found no room. */
  uncounted = 0

  /** @param most the maximum number of keys */
  constructor(most: number) {
    this.#most = most
  }

  /** Counts a request of a key. Returns the number of the key, or -1 if there is no room for it. */
  add(key: string): number {
    let at = key === this.#lastKey ? this.#lastIndex : this.#index.get(key)
    if (at === undefined) {
      if (this.#index.size >= this.#most) {
        this.uncounted++
        return -1
      }
      at = this.#index.size
      // Copied, because a slice would keep its whole part of the log in memory.
      this.#index.set(` ${key}`.slice(1), at)
      if (at >= this.#requests.length) this.#grow()
    }
    this.#lastKey = key
    this.#lastIndex = at
    this.#requests[at]!++
    return at
  }

  /** Counts a refusal of a key, by its number. */
  refuse(at: number): void {
    if (at >= 0) this.#refused[at]!++
  }

  /** Notes that a candidate limit refused a key. */
  mark(at: number, candidate: number): void {
    this.#marks[at]! |= 1 << candidate
  }

  /** The number of keys. */
  get size(): number {
    return this.#index.size
  }

  /** The most requests of one key. */
  get busiest(): number {
    return this.#requests.subarray(0, this.size).reduce((most, count) => Math.max(most, count), 0)
  }

  /** How many keys were refused at least once. */
  get refusedKeys(): number {
    return this.#refused.subarray(0, this.size).reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0)
  }

  /** How many keys a candidate limit refused at least once. */
  markedKeys(candidate: number): number {
    return this.#marks.subarray(0, this.size).reduce((sum, marks) => sum + ((marks >>> candidate) & 1), 0)
  }

  /** The keys with the most refusals, the most refused first. */
  mostRefused(most: number): { key: string; requests: number; refused: number }[] {
    const top: { key: string; requests: number; refused: number }[] = []
    for (const [key, at] of this.#index) {
      const refused = this.#refused[at]!
      if (refused === 0 || (top.length === most && refused <= (top.at(-1)?.refused ?? 0))) continue
      top.push({ key, requests: this.#requests[at]!, refused })
      top.sort((a, b) => b.refused - a.refused || (a.key < b.key ? -1 : 1))
      if (top.length > most) top.pop()
    }
    return top
  }

  #grow(): void {
    this.#requests = doubled(this.#requests)
    this.#refused = doubled(this.#refused)
    this.#marks = doubled(this.#marks)
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2)
  larger.set(array)
  return larger
}
