import { type HeavyKey, HeavyKeys } from '@halt/core/telemetry'

/** A key that is among the most used or the most refused ones of a policy. */
export interface TopKey extends HeavyKey {
  /** The policy that counted the key. `"other"` for the policies beyond `maxPolicies`. */
  readonly policy: string
}

/** The keys of one process, or of all, the most frequent first. */
export interface TopLists {
  /** The keys of admitted requests. */
  readonly used: readonly TopKey[]
  /** The keys that a policy refused. */
  readonly refused: readonly TopKey[]
}

/** The length of a window, in milliseconds. */
const WINDOW_MS = 60_000

type Tables = Map<string, HeavyKeys>

/**
 * Counts keys by policy in two windows of a minute: the current one, and the one before it. So a count tells of the last one to two
 * minutes. It looks at the clock with each addition, and has no timer.
 */
export class TopTables {
  readonly #counters: number
  #current: Tables = new Map()
  #last: Tables = new Map()
  #endsAt = 0

  /** @param counters how many keys each table holds at most */
  constructor(counters: number) {
    this.#counters = counters
  }

  /** @param now Unix milliseconds */
  add(policy: string, key: string, now: number): void {
    if (now >= this.#endsAt) this.#turn(now)
    let table = this.#current.get(policy)
    if (table === undefined) this.#current.set(policy, (table = new HeavyKeys(this.#counters)))
    table.add(key)
  }

  /** The most frequent keys of each policy, the most frequent first. */
  top(most: number, now: number): TopKey[] {
    if (now >= this.#endsAt) this.#turn(now)
    const policies = new Set([...this.#current.keys(), ...this.#last.keys()])
    return [...policies].flatMap(policy => this.#topOf(policy, most)).sort(byCount)
  }

  /** Whether the windows hold no key. */
  isEmpty(now: number): boolean {
    if (now >= this.#endsAt) this.#turn(now)
    return this.#current.size + this.#last.size === 0
  }

  #topOf(policy: string, most: number): TopKey[] {
    const tables = [this.#current.get(policy), this.#last.get(policy)].filter(table => table !== undefined)
    const keys = new Set(tables.flatMap(table => table.top(most)).map(({ key }) => key))
    const sums = [...keys].map(key => {
      // A full table may have dropped the key: it counted it `least` times at most.
      const parts = tables.map(table => table.find(key) ?? { count: table.least, error: table.least })
      const [count, error] = [sum(parts.map(part => part.count)), sum(parts.map(part => part.error))]
      return { policy, key, count, error }
    })
    return sums.sort(byCount).slice(0, most)
  }

  #turn(now: number): void {
    const isNext = now < this.#endsAt + WINDOW_MS
    this.#last = isNext ? this.#current : new Map()
    this.#current = new Map()
    this.#endsAt = isNext ? this.#endsAt + WINDOW_MS : now + WINDOW_MS
  }
}

/** Orders keys by what is certain: the highest lower bound of the count first. */
export function byCount(a: HeavyKey, b: HeavyKey): number {
  return b.count - b.error - (a.count - a.error) || b.count - a.count
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
