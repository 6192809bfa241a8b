import { leavesAt, type Rule, type State } from '@halt/core/counters'
import { debtAfter, withRoom, type Slab } from './slab.ts'
import { listBytes, type Tally } from './tally.ts'

/** The numbers of a bucket after its cool-down. */
const BUCKET = 4

/** Eight bytes per number, for amounts beyond 32 bits, and for counters with many different terms. */
export class WideSlab implements Slab {
  readonly #width: number
  #numbers = new Float64Array(0)

  /** @param width the numbers of a counter after its cool-down */
  constructor(width: number) {
    this.#width = width
  }

  load(slot: number, cooldown: number): State {
    const width = this.#width
    const numbers = this.#numbers
    const from = slot * width
    if (width === 2) return [cooldown, numbers[from]!, numbers[from + 1]!]
    if (width === 4)
      return [cooldown, numbers[from]!, numbers[from + 1]!, numbers[from + 2]!, numbers[from + 3]!]
    const state = [cooldown]
    for (let i = from; i < from + width; i++) state.push(numbers[i]!)
    return state
  }

  save(slot: number, state: State): boolean {
    const width = this.#width
    const from = slot * width
    if (from + width > this.#numbers.length) this.#numbers = withRoom(this.#numbers, slot, width)
    for (let i = 0; i < width; i++) this.#numbers[from + i] = state[i + 1]!
    return true
  }

  /** The first number of a slot, its cool-down ignored. */
  end(slot: number): number {
    return this.#numbers[slot * this.#width]!
  }

  free(): void {}

  freshAt(slot: number): number {
    const from = slot * this.#width
    return this.#numbers[from]! + Math.ceil(this.#numbers[from + 1]! / this.#numbers[from + 3]!)
  }

  chargeWindow(slot: number, rule: Rule, cost: number, now: number): State | undefined {
    const used = this.#usedAfter(slot, rule, cost, now)
    if (used === 0) return undefined
    this.#numbers[slot * this.#width + 1] = used
    return [0, this.end(slot), used]
  }

  #usedAfter(slot: number, { limit }: Rule, cost: number, now: number): number {
    const used = this.#numbers[slot * this.#width + 1]! + cost
    return now >= this.end(slot) || used > limit ? 0 : used
  }

  // As in NarrowSlab, for numbers of 64 bits: an instant, a debt and its terms.
  amountAfter(slot: number, rule: Rule, cost: number, now: number): number {
    if (this.#width !== BUCKET) return this.#usedAfter(slot, rule, cost, now)
    const { unit, rate, capacity } = rule
    const numbers = this.#numbers
    const from = slot * this.#width
    const elapsed = now - numbers[from]!
    if (numbers[from + 2] !== unit || numbers[from + 3] !== rate || elapsed < 0) return 0
    return debtAfter(numbers[from + 1]!, elapsed * rate, cost * unit, capacity * unit)
  }

  setAmount(slot: number, { unit, rate }: Rule, now: number, amount: number): boolean {
    const numbers = this.#numbers
    const from = slot * this.#width
    if (this.#width === BUCKET) {
      if (numbers[from + 2] !== unit || numbers[from + 3] !== rate) return false
      numbers[from] = now
    }
    numbers[from + 1] = amount
    return true
  }
}

/** Sixteen bytes for a counter with one sub-window in use, as most have. An array for a counter with several. */
export class SubWindowSlab implements Slab {
  readonly #one = new WideSlab(2)
  readonly #several = new Map<number, State>()
  readonly #tally: Tally

  /** @param tally counts the bytes of the arrays */
  constructor(tally: Tally) {
    this.#tally = tally
  }

  load(slot: number, cooldown: number): State {
    const several = this.#several.size === 0 ? undefined : this.#several.get(slot)
    if (several === undefined) return this.#one.load(slot, cooldown)
    const state = several.slice()
    state[0] = cooldown
    return state
  }

  save(slot: number, state: State): boolean {
    const before = this.#several.size === 0 ? undefined : this.#several.get(slot)
    if (state.length === 3) {
      if (before !== undefined) this.free(slot)
      return this.#one.save(slot, state)
    }
    // A copy has no spare room, unlike an array that grew. Without a copy it is safe to keep `state`, because the next change
    // begins with a load.
    this.#several.set(slot, before?.length === state.length ? state : state.slice())
    this.#tally.bytes += listBytes(state.length) - (before === undefined ? 0 : listBytes(before.length))
    return true
  }

  // perf: bench "@halt/store-memory, sliding window", hot key; a test holds it equal to decide().
  chargeWindow(slot: number, rule: Rule, cost: number, now: number): State | undefined {
    const leaves = leavesAt(now, rule)
    const several = this.#several.size === 0 ? undefined : this.#several.get(slot)
    if (several === undefined)
      return this.#one.end(slot) === leaves ? this.#one.chargeWindow(slot, rule, cost, now) : undefined
    const { length } = several
    if (several[length - 2] !== leaves || now >= several[1]!) return undefined
    let used = cost
    for (let i = 2; i < length; i += 2) used += several[i]!
    if (used > rule.limit) return undefined
    // A copy, because the evaluation before has the list.
    const state = several.slice()
    state[0] = 0
    state[length - 1]! += cost
    this.#several.set(slot, state)
    return state
  }

  free(slot: number): void {
    const several = this.#several.size === 0 ? undefined : this.#several.get(slot)
    if (several === undefined) return
    this.#tally.bytes -= listBytes(several.length)
    this.#several.delete(slot)
  }
}
