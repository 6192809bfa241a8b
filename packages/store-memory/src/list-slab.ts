import type { State } from '@halt/core/store'

import type { Slab } from './slab.ts'
import { WideSlab } from './wide-slab.ts'

/** Sixteen bytes a counter of which one sub-window counts, as most do; an array where several do. */
export class SubWindowSlab implements Slab {
  readonly #one = new WideSlab(false)
  readonly #several = new Map<number, State>()

  load(slot: number, block: number): State {
    const several = this.#several.size === 0 ? undefined : this.#several.get(slot)
    if (several === undefined) return this.#one.load(slot, block)
    const state = several.slice()
    state[0] = block
    return state
  }

  // Not a copy: what was kept is not changed any more, the next change begins with a load.
  save(slot: number, state: State): boolean {
    if (state.length !== 3) this.#several.set(slot, state)
    else {
      if (this.#several.size > 0) this.#several.delete(slot)
      this.#one.save(slot, state)
    }
    return true
  }

  free(slot: number): void {
    this.#several.delete(slot)
  }
}

/** An array a counter: for counters of many numbers, or few counters. */
export class ListSlab implements Slab {
  readonly #lists: State[] = []

  load(slot: number, block: number): State {
    const state = this.#lists[slot]!.slice()
    state[0] = block
    return state
  }

  // Not a copy: what was kept is not changed any more, the next change begins with a load.
  save(slot: number, state: State): boolean {
    this.#lists[slot] = state
    return true
  }

  free(slot: number): void {
    this.#lists[slot] = NOTHING
  }
}

const NOTHING: State = []
