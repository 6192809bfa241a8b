import type { Rule, State } from '../algorithms/index.ts'

/** Reads and writes the counters for `decide`. Nobody else may change them meanwhile. */
export interface Counters {
  /**
   * Whether all calls of the store go by one clock. If it steps back, a line then goes on by the new time; otherwise the call comes
   * from a process whose clock is behind. Default false.
   */
  readonly hasOneClock?: boolean
  /** Returns a copy of a counter, which the caller may change; empty if there is none. Penalties and keys have no rule. */
  load(subject: string, counter: string, rule?: Rule): State
  /** Writes a counter. From `freshAt` (microseconds) on it equals a fresh counter, so it may be removed. */
  keep(subject: string, counter: string, state: State, freshAt: number): void
}
