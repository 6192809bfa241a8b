import type { Check } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { Turn } from '../check/turn.ts'
import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/subject.ts'
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
  /** Whether an operator blocks the client of a check now. Asks nobody. */
  isRefused(check: Check, client: Caller | Subject): boolean
  /** Whether an operator blocks the client of a check now, or a counter of it was blocked meanwhile. */
  isBlocked(check: Check, client: Caller | Subject): Promise<boolean>
  /** Called when a caller no longer waits. */
  gone(caller: Turn): void
}
