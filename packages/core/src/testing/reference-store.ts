import { keyOf } from '../store/counter-key.ts'
import type { State } from '../algorithms/index.ts'
import type { CounterId, Group, Store, Evaluation } from '../store/contract.ts'
import { type Counters, decide } from '../store/decide.ts'

/** The plainest store: `decide` over a Map that forgets nothing. What every other store must agree with. */
export class ReferenceStore implements Store {
  readonly kind: string = 'reference'
  readonly isShared: boolean = false
  readonly clock: () => number
  readonly #counters = new Map<string, State>()
  readonly #cells: Counters = {
    load: (subject, counter) => [...(this.#counters.get(keyOf(subject, counter)) ?? [])],
    keep: (subject, counter, state) => void this.#counters.set(keyOf(subject, counter), [...state]),
  }

  /** @param clock Unix milliseconds, fractions allowed */
  constructor(clock: () => number) {
    this.clock = clock
  }

  evaluate(group: Group): Evaluation {
    return decide(group, this.#cells, Math.floor(this.clock() * 1000))
  }

  forget(counters: readonly CounterId[]): number {
    const before = this.#counters.size
    for (const { subject, counter } of counters) this.#counters.delete(keyOf(subject, counter))
    return before - this.#counters.size
  }
}
