import { freshAt, type Rule, type State } from '@halt/core/store'

/** The counters of one candidate limit, by the number of the key. */
export interface States {
  /** Returns the state of a counter, which the caller may change. It holds until the next call. */
  load(key: number): State
  /** @param now microseconds */
  keep(key: number, state: State, now: number): void
}

/** The numbers of a counter that differ between keys: the cool-down, and two of the algorithm. */
const STRIDE = 3

/** The numbers of all candidates of a policy, those of one key side by side, so that one key needs few parts of the memory. */
export class Rows {
  /** The length of a row. */
  readonly length: number
  numbers: Float64Array<ArrayBuffer>

  /** @param candidates how many candidates share the rows */
  constructor(candidates: number) {
    this.length = candidates * STRIDE
    this.numbers = new Float64Array(1024 * this.length)
  }

  /** Makes room for a number. */
  grow(at: number): void {
    while (at >= this.numbers.length) {
      const larger = new Float64Array(this.numbers.length * 2)
      larger.set(this.numbers)
      this.numbers = larger
    }
  }
}

/**
 * Counters whose states are three numbers and a constant end: token buckets and windows. They take 24 bytes each. A counter of zeros
 * equals a fresh one.
 */
export class NumberedStates implements States {
  readonly #rows: Rows
  readonly #offset: number
  readonly #state: State

  /**
   * @param candidate the number of the candidate
   * @param end the numbers at the end of every state: the terms of a bucket
   */
  constructor(rows: Rows, candidate: number, end: readonly number[]) {
    this.#rows = rows
    this.#offset = candidate * STRIDE
    // Not whole, so that V8 stores all numbers of the list as they are.
    this.#state = [0.5, 0.5, 0.5, ...end]
  }

  load(key: number): State {
    const { numbers, length } = this.#rows
    const from = key * length + this.#offset
    const state = this.#state
    const isKnown = from < numbers.length
    state[0] = isKnown ? numbers[from]! : 0
    state[1] = isKnown ? numbers[from + 1]! : 0
    state[2] = isKnown ? numbers[from + 2]! : 0
    return state
  }

  keep(key: number, state: State): void {
    const from = key * this.#rows.length + this.#offset
    if (from + 2 >= this.#rows.numbers.length) this.#rows.grow(from + 2)
    const { numbers } = this.#rows
    numbers[from] = state[0]!
    numbers[from + 1] = state[1]!
    numbers[from + 2] = state[2]!
  }
}

/** Fresh counters are forgotten when there are so many counters, or twice as many as after the last time. */
const LEAST_TO_SWEEP = 50_000

/** Counters whose states differ in length: sliding windows. */
export class ListedStates implements States {
  readonly #states: (State | undefined)[] = []
  readonly #rule: Rule
  #count = 0
  #sweepAt = LEAST_TO_SWEEP

  constructor(rule: Rule) {
    this.#rule = rule
  }

  load(key: number): State {
    return this.#states[key] ?? []
  }

  keep(key: number, state: State, now: number): void {
    if (this.#states[key] === undefined && ++this.#count > this.#sweepAt) this.#sweep(now)
    this.#states[key] = state
  }

  #sweep(now: number): void {
    for (let key = 0; key < this.#states.length; key++) {
      const state = this.#states[key]
      if (state === undefined || freshAt(state, this.#rule) > now) continue
      this.#states[key] = undefined
      this.#count--
    }
    this.#sweepAt = Math.max(LEAST_TO_SWEEP, this.#count * 2)
  }
}
