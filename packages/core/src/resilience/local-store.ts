import type { State } from '../algorithms/index.ts'
import type { CounterId, Group, Store } from '../store/contract.ts'
import type { Evaluation } from '../store/evaluation.ts'
import type { Counters } from '../store/counter-access.ts'
import { decide } from '../store/decide.ts'
import { keyOf } from '../store/counter-key.ts'
import { BoundedMap } from '../base/bounded-map.ts'

/**
 * A small store in this process, which decides while the real store cannot. Bounded: it evicts the least recently used counters
 * first, and counters whose last request was refused last.
 */
export class LocalStore implements Store {
  readonly kind: string = 'local'
  readonly #now: () => number
  readonly #counters: BoundedMap<State>
  // Refused counters have a map of their own, so that a flood of other keys does not evict them.
  readonly #refused: BoundedMap<State>
  readonly #access: Counters

  /**
   * @param now a clock in microseconds that never goes back
   * @param max the maximum number of counters, separately for refused and other ones
   */
  constructor(now: () => number, max = 50_000) {
    this.#now = now
    this.#counters = new BoundedMap(max)
    this.#refused = new BoundedMap(max)
    this.#access = {
      load: (subject, counter) => [...(this.#get(keyOf(subject, counter)) ?? [])],
      keep: (subject, counter, state, freshAt) => this.#keep(keyOf(subject, counter), state, freshAt),
    }
  }

  evaluate(group: Group): Evaluation {
    const evaluation = decide(group, this.#access, this.#now())
    if (!evaluation.allowed) this.#protect(group, evaluation)
    return evaluation
  }

  forget(counters: readonly CounterId[]): number {
    const before = this.size
    for (const { subject, counter } of counters) this.#delete(keyOf(subject, counter))
    return before - this.size
  }

  /** The state of a counter; empty if there is none. */
  stateOf(subject: string, counter: string): readonly number[] {
    return this.#get(keyOf(subject, counter)) ?? []
  }

  /** Replaces the state of a counter. `change` gets the current state, which is empty for a new counter. */
  put(subject: string, counter: string, change: (own: State) => State): void {
    const key = keyOf(subject, counter)
    this.#keep(key, change(this.#get(key) ?? []), Number.POSITIVE_INFINITY)
  }

  get size(): number {
    return this.#counters.size + this.#refused.size
  }

  #get(key: string): State | undefined {
    return this.#refused.get(key) ?? this.#counters.get(key)
  }

  #delete(key: string): void {
    this.#counters.delete(key)
    this.#refused.delete(key)
  }

  #keep(key: string, state: State, freshAt: number): void {
    this.#delete(key)
    if (freshAt <= this.#now()) return
    this.#counters.set(key, state)
  }

  #protect(group: Group, evaluation: Evaluation): void {
    for (const [i, { subject, rule }] of group.demands.entries()) {
      const key = keyOf(subject, rule.counter)
      const state = this.#get(key)
      if (evaluation.passes[i] === true || state === undefined) continue
      this.#delete(key)
      this.#refused.set(key, state)
    }
  }
}
