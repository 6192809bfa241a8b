import { within } from '../base/timers.ts'
import { LOOK_RULE } from './across/look-rule.ts'
import { type Group, Mode, type Store } from './contract.ts'
import { CALL_TIMEOUT_MS, lateCall } from './shared-text.ts'
import type { StoreClock } from './store-clock.ts'

/** A look at a counter that nobody charges. Its evaluation carries the store's instant. */
const LOOK: Group = {
  demands: [{ rule: LOOK_RULE, subject: 'clock', cost: 1, mode: Mode.PEEK, penalized: false }],
}

/**
 * Asks a store for its time, if it does not tell it without a call. The store's clock hears it. Never rejects: without an answer
 * within a second, the clock goes on by what it heard before, or by the system's clock.
 *
 * @param quiet whether the call may be left pending when the process wants to end
 * @returns whether the time is known
 */
export async function learnTime(store: Store, clock: StoreClock, quiet = false): Promise<boolean> {
  if (clock.told() !== undefined) return true
  try {
    const { now } = await within(Promise.resolve(store.evaluate(LOOK)), CALL_TIMEOUT_MS, lateCall, quiet)
    clock.hear(now)
    return true
  } catch {
    return false
  }
}
