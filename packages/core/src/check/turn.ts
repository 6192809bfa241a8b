import type { Caller } from '../request/caller.ts'
import type { Subject } from '../request/subject.ts'
import type { Check } from './check.ts'

/** A caller that waits for its turn, as a check sees it. */
export interface Turn {
  /** The longest time that the caller still waits, in microseconds. */
  readonly maxWait: number
  /**
   * Called with the check before the store is asked. Returns the check to ask for; or a promise, if other callers of this process
   * wait for the same counters and ask first: the check is then built again once they have asked.
   *
   * @param client the caller of a request, or the subject of an identity
   */
  before(check: Check, client: Caller | Subject): Check | Promise<void>
}
