import type { State } from '@halt/core/store'

import { withRoom, type Slab } from './slab.ts'

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

  free(): void {}
}
