import type { State } from '../algorithms/index.ts'

/** A store's reply to a group. */
export interface Evaluation {
  /** The store's clock at the decision, in microseconds since the Unix epoch. */
  readonly now: number
  /** Whether every enforced demand passed. */
  readonly allowed: boolean
  /** Whether the idempotency key was seen before. If so, only units in flight were decided and charged. */
  readonly repeated: boolean
  /** Whether each demand passed. */
  readonly passes: readonly boolean[]
  /** Whether each demand's refusal started its cool-down. Empty if none did. */
  readonly starts: readonly boolean[]
  /** Each demand's counter after the decision. */
  readonly states: readonly State[]
  /** The counter of each demand's tenant after the decision; empty for a demand without a share. May be absent if none has one. */
  readonly shares?: readonly State[] | undefined
  /** If several nodes decided: when each demand was decided, by its node's clock. Otherwise all were decided at `now`. */
  readonly instants?: readonly number[] | undefined
  /** The penalty's state after the decision; empty if there is none. */
  readonly penalty: State
  /**
   * Microseconds until the work may start, where the caller has to wait. If the group was allowed, its place is charged. Otherwise
   * nothing was written, and the caller asks again then. Absent if there is nothing to wait for.
   */
  readonly startsIn?: number | undefined
  /** The units that each demand was granted. Absent if no demand accepts fewer units than its cost. */
  readonly grants?: readonly number[] | undefined
  /** Only in an {@link Admitted}: the instant from which the counter equals a fresh one, in microseconds. */
  readonly freshAt?: number | undefined
  /**
   * Only in {@link AdmittedGroup}: the debt of each demand's bucket after its charge, in the terms of the demand's rule, or
   * the units used in its window. The other fields are then getters, which a spread does not copy.
   */
  readonly amounts?: readonly number[] | undefined
}

// Shared by all evaluations, so they are never written.
export const NONE: State = Object.freeze([]) as unknown as State
export const NOTHING: readonly boolean[] = Object.freeze([])
export const YES: readonly boolean[] = Object.freeze([true])
export const NO: readonly boolean[] = Object.freeze([false])
