import type { State } from '@halt/core/store'

import { CHUNK, copy, SHIFT, sizeFor, type Slab } from './slab.ts'

/** Eight bytes a number: for amounts past 32 bits and for counters whose terms keep changing. */
export class WideSlab implements Slab {
  readonly #width: number
  readonly #chunks: Float64Array[] = []

  constructor(bucket: boolean) {
    this.#width = bucket ? 4 : 2
  }

  load(slot: number, block: number): State {
    const chunk = this.#chunks[slot >>> SHIFT]!
    const from = (slot & (CHUNK - 1)) * this.#width
    return this.#width === 2
      ? [block, chunk[from]!, chunk[from + 1]!]
      : [block, chunk[from]!, chunk[from + 1]!, chunk[from + 2]!, chunk[from + 3]!]
  }

  save(slot: number, state: State): boolean {
    const from = (slot & (CHUNK - 1)) * this.#width
    let chunk = this.#chunks[slot >>> SHIFT]
    if (chunk === undefined || from >= chunk.length) {
      const size = sizeFor(slot, (chunk?.length ?? 0) / this.#width) * this.#width
      this.#chunks[slot >>> SHIFT] = chunk = copy(new Float64Array(size), chunk)
    }
    for (let i = 0; i < this.#width; i++) chunk[from + i] = state[i + 1]!
    return true
  }

  free(): void {}
}
