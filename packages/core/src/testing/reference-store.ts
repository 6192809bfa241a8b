import type { State } from '../algorithms/index.ts'
import type { CounterId, Group, Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import { keyOf, type Counters } from '../store/counter-key.ts'
import { decide } from '../store/decide.ts'
import { LocalDocuments, type StoreDocument } from '../store/document.ts'

/** The simplest store: `decide` over a Map that forgets nothing. Every other store must decide as it does. */
export class ReferenceStore implements Store {
  readonly kind: string = 'reference'
  readonly isShared: boolean = false
  readonly isSynchronous: boolean = true
  readonly clock: () => number
  readonly #documents = new LocalDocuments()
  readonly #states = new Map<string, State>()
  readonly #counters: Counters = {
    hasOneClock: true,
    load: (subject, counter) => [...(this.#states.get(keyOf(subject, counter)) ?? [])],
    keep: (subject, counter, state) => void this.#states.set(keyOf(subject, counter), [...state]),
  }

  /** @param clock Unix milliseconds, fractions allowed */
  constructor(clock: () => number) {
    this.clock = clock
  }

  evaluate(group: Group): Evaluation {
    return decide(group, this.#counters, Math.floor(this.clock() * 1000))
  }

  document(name: string): StoreDocument {
    return this.#documents.of(name)
  }

  forget(counters: readonly CounterId[]): number {
    const before = this.#states.size
    for (const { subject, counter } of counters) this.#states.delete(keyOf(subject, counter))
    return before - this.#states.size
  }
}
