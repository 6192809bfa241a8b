import type { Decision } from '../check/decision.ts'
import type { Cost } from '../policy/cost.ts'

/** A call that was charged, or whose units are held, in advance. Its functions need no `this`. */
export interface Reservation {
  readonly decision: Decision
  /**
   * Charges units to the quotas of the call while it runs: a number for all of them, or numbers by policy name. Pays from the units
   * that the call holds, then from what is left of the quotas: all are charged, or none. Call it before the units are used. It asks
   * the store once per `chunk`.
   *
   * @returns false if a quota is used up, if the call was refused or has ended, or if the limiter is closed. Then nothing was charged
   * @throws HaltError `HALT_E_COST`
   */
  charge(more: Cost): Promise<boolean>
  /**
   * Corrects the charge to the units really used, of all policies of the call, and ends the call. A quota that a cost by name leaves out
   * is charged what `charge` was told, or what was reserved if it was told nothing. A number has the unit of
   * the quotas. Works once.
   */
  settle(actual: Cost): Promise<void>
  /** Gives the whole charge back, unless it was settled before, and ends the call. */
  cancel(): Promise<void>
  /**
   * Aborted if the units that the call held were lost: their time was over, because this process was stopped for longer than `ttl` or
   * the store was away, and others have used them meanwhile.
   */
  readonly signal: AbortSignal
  /** The decision of the last `charge` that was refused: which quota is used up, and when it begins anew. */
  readonly refusal: Decision | undefined
}
