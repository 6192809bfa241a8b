import type { Check } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { Turn } from '../check/turn.ts'
import type { Lines } from './lines.ts'

/** Asks for a decision, as a caller that waits for its turn, or, without a turn, as one that takes a refusal. */
export type Ask = (turn: Turn | undefined) => Decision | Promise<Decision>

/** The parts of a limiter that a caller needs. */
export interface WaiterParts {
  readonly lines: Lines
  /** The clock that measures patience, in microseconds. */
  clock(): number
  /** The time in microseconds, by the clock of the store that gave a result: the shared store, or the local one. */
  now(isLocal: boolean): number
  /** Gives back a place that nobody takes. `tails` names it. */
  withdraw(decision: Decision, tails: readonly number[]): Promise<void>
  /** Gives back the charge of a caller that has gone. */
  cancel(decision: Decision): Promise<void>
  /** Whether a counter of a check was blocked meanwhile. */
  isBlocked(check: Check): Promise<boolean>
  /** Called when a caller no longer waits. */
  gone(caller: Turn): void
}
