import type { Check } from '../check/check.ts'
import type { Decision } from '../check/decision.ts'
import type { Turn } from '../check/turn.ts'
import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/subject.ts'
import type { LeavingCaller, WaitingCaller } from '../check/telemetry.ts'
import type { Present } from './idlers.ts'
import type { LineStore } from './line-store.ts'
import type { Lines } from './lines.ts'

/** Asks for a decision, as a caller that waits for its turn, or, without a turn, as one that takes a refusal. */
export type Decide = (turn: Turn | undefined) => Decision | Promise<Decision>

/** The wait of a caller, as telemetry hears of it. */
export interface Wait extends WaitingCaller {
  readonly key: string
}

/** The parts of a limiter that a caller needs. */
export interface WaiterParts {
  readonly lines: Lines
  readonly store: LineStore
  /** The next number of a caller of this process. */
  nextSeq(): number
  /** Whether no further caller may wait. */
  readonly isFull: boolean
  /** Called when a caller begins to wait. */
  waits(caller: Turn, wait: Wait): void
  /** Called when a caller that has waited gets its turn. */
  started(wait: Wait, waitedMs: number): void
  /** Called when a caller that has waited leaves without a turn. */
  left(wait: Wait, waitedMs: number, why: LeavingCaller['why']): void
  /** Called when it is known on which counters a caller will be charged. */
  known(caller: Present): void
  /**
   * Gives back the charge of a caller that has not started, and ends the record of its charge.
   *
   * @param inLine the key of the counter whose units are given back with the caller's place in its line
   */
  abandon(decision: Decision, inLine?: string): Promise<void>
  /** Whether an operator blocks the client of a check now. Asks nobody. */
  isRefused(check: Check, client: Caller | Subject): boolean
  /** Called when a caller no longer waits. */
  gone(caller: Turn): void
}
