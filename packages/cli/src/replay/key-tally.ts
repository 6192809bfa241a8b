const STRIDE = 4
const [REQUESTS, REFUSED, MARKS] = [0, 1, 2]

/** The keys that one policy counted: how many requests each made, and how many were refused. */
export class KeyTally {
  readonly #index = new Map<string, number>()
  readonly #most: number
  /** By the number of the key: its requests, its refusals, and one bit for each candidate limit that refused it at least once. */
  #counts = new Uint32Array(1024 * STRIDE)
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
      if (at * STRIDE >= this.#counts.length) this.#grow()
    }
    this.#lastKey = key
    this.#lastIndex = at
    this.#counts[at * STRIDE + REQUESTS]!++
    return at
  }

  /** Counts a refusal of a key, by its number. */
  refuse(at: number): void {
    if (at >= 0) this.#counts[at * STRIDE + REFUSED]!++
  }

  /** Notes that a candidate limit refused a key. */
  mark(at: number, candidate: number): void {
    this.#counts[at * STRIDE + MARKS]! |= 1 << candidate
  }

  /** The number of keys. */
  get size(): number {
    return this.#index.size
  }

  /** How many keys were refused at least once. */
  get refusedKeys(): number {
    return this.#countKeys(at => this.#counts[at + REFUSED]! > 0)
  }

  /** How many keys a candidate limit refused at least once. */
  markedKeys(candidate: number): number {
    return this.#countKeys(at => ((this.#counts[at + MARKS]! >>> candidate) & 1) === 1)
  }

  /** The keys with the most refusals, the most refused first. */
  mostRefused(most: number): { key: string; requests: number; refused: number }[] {
    const top: { key: string; requests: number; refused: number }[] = []
    for (const [key, at] of this.#index) {
      const refused = this.#counts[at * STRIDE + REFUSED]!
      if (refused === 0 || (top.length === most && refused <= (top.at(-1)?.refused ?? 0))) continue
      top.push({ key, requests: this.#counts[at * STRIDE + REQUESTS]!, refused })
      top.sort((a, b) => b.refused - a.refused || (a.key < b.key ? -1 : 1))
      if (top.length > most) top.pop()
    }
    return top
  }

  #countKeys(isMeant: (at: number) => boolean): number {
    let count = 0
    for (let key = 0; key < this.size; key++) if (isMeant(key * STRIDE)) count++
    return count
  }

  #grow(): void {
    const larger = new Uint32Array(this.#counts.length * 2)
    larger.set(this.#counts)
    this.#counts = larger
  }
}
