import type { State, Edges } from '../algorithms/index.ts'
import { BoundedMap, keptIn, Memo } from '../base/bounded-memory.ts'
import { nowMicros } from '../base/event-loop.ts'
import type { CounterId, Group, Store, Demand } from '../store/contract.ts'
import { type Counters, keyOf } from '../store/counter-key.ts'
import { decide } from '../store/decide.ts'
import type { Evaluation } from '../store/evaluation.ts'

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

const MAX_SEEDS = 50_000

/** The counters that this process keeps in the place of those of a store. */
export interface LocalCounters {
  readonly store: LocalStore
  /** By counter: the number of the store's reply that the local counter was seeded from. */
  readonly seeded: Memo<number>
}

// One per store, because all limiters of this process that use the store have one share of its limits together.
const byStore = new WeakMap<Store, LocalCounters>()

/** The local counters of a store, shared by all limiters of the store. */
export function localCountersOf(store: Store): LocalCounters {
  return keptIn(byStore, store, () => ({
    store: new LocalStore(nowMicros),
    seeded: new Memo<number>(MAX_SEEDS),
  }))
}

/** Two ends of a period that differ by less are one, in microseconds: the difference between two clocks drifts. */
const DRIFT = 60e6

/**
 * Evaluates a group in this process. The local store goes by this process's clock, and the periods of quotas by the real store's. So
 * their edges are moved to the local clock, and what is told of them back.
 *
 * @param offset how far this process's clock is ahead of the store's, in microseconds
 */
export function evaluateLocally(store: LocalStore, group: Group, offset: number): Evaluation {
  const { demands, idempotency } = group
  if (idempotency?.edges === undefined && demands.every(({ edges }) => edges === undefined))
    return store.evaluate(group)
  const local = demands.map(demand => ({
    ...demand,
    edges: localEdges(demand.edges, offset),
    chargedTo: localEnd(store, demand, offset),
  }))
  const edges = localEdges(idempotency?.edges, offset)
  const evaluation = store.evaluate({
    ...group,
    demands: local,
    idempotency: idempotency && { ...idempotency, edges },
  })
  const { now } = evaluation
  return {
    ...evaluation,
    states: evaluation.states.map((state, i) => storeState(state, demands[i]?.edges, offset)),
    instants: demands.map(demand => (demand.edges === undefined ? now : now - Math.round(offset))),
  }
}

/** The edges of a period by this process's clock. */
export function localEdges(edges: Edges | undefined, offset: number): Edges | undefined {
  const by = Math.round(offset)
  return edges && [edges[0] + by, edges[1] + by, edges[2] + by]
}

/** The part of a local counter that a refund goes to. */
function localEnd(
  store: LocalStore,
  { subject, rule, edges, chargedTo }: Demand,
  offset: number,
): number | undefined {
  if (edges === undefined || chargedTo === undefined) return chargedTo
  const moved = chargedTo + Math.round(offset)
  const [, end = moved] = store.stateOf(subject, rule.counter)
  return Math.abs(end - moved) < DRIFT ? end : moved
}

/** A local counter of a quota as the store would tell it. */
function storeState(state: State, edges: Edges | undefined, offset: number): State {
  const [blockedUntil, end, ...rest] = state
  if (edges === undefined || blockedUntil === undefined || end === undefined) return state
  const by = Math.round(offset)
  const moved = end - by
  const known = edges.find(edge => Math.abs(edge - moved) < DRIFT)
  return [blockedUntil === 0 ? 0 : blockedUntil - by, known ?? moved, ...rest]
}
