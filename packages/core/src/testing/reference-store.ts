import { keyOf } from '../store/counter-key.ts'
import type { State } from '../algorithms/index.ts'
import type { Cell, Group, Store, Evaluation } from '../store/contract.ts'
import { type Cells, decide } from '../store/decide.ts'

/** The plainest store: `decide` over a Map that forgets nothing. What every other store must agree with. */
export class ReferenceStore implements Store {
  readonly kind: string = 'reference'
  readonly isShared: boolean = false
  readonly clock: () => number
  readonly #counters = new Map<string, State>()
  readonly #cells: Cells = {
    load: (subject, cell) => [...(this.#counters.get(keyOf(subject, cell)) ?? [])],
    keep: (subject, cell, state) => void this.#counters.set(keyOf(subject, cell), [...state]),
  }

  /** @param clock Unix milliseconds, fractions allowed */
  constructor(clock: () => number) {
    this.clock = clock
  }

  evaluate(group: Group): Evaluation {
    return decide(group, this.#cells, Math.floor(this.clock() * 1000))
  }

  forget(cells: readonly Cell[]): number {
    const before = this.#counters.size
    for (const { subject, cell } of cells) this.#counters.delete(keyOf(subject, cell))
    return before - this.#counters.size
  }
}
