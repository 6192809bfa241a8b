import { leavesAt, type Rule, type State } from '@halt/core/counters'

import type { Slab } from './slab.ts'
import { listBytes, type Tally } from './tally.ts'
import { WideSlab } from './wide-slab.ts'

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
