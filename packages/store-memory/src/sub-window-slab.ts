import type { State } from '@halt/core/store'

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

  free(slot: number): void {
    const several = this.#several.size === 0 ? undefined : this.#several.get(slot)
    if (several === undefined) return
    this.#tally.bytes -= listBytes(several.length)
    this.#several.delete(slot)
  }
}
